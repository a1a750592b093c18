//! Kubernetes: the token of the pod's service account proves it.

use std::{fs::File, io::Read, path::PathBuf};

use kms_api::{
    IdentityId,
    auth::{JwtProof, kubernetes},
};
use zeroize::Zeroizing;

use super::{LoginContext, Prove, vendor};
use crate::{Client, Error};

const WHAT: &str = "the token of the service account";
/// No token is longer; what is, is the wrong file.
const MAX_BYTES: u64 = 64 * 1024;

/// A service account of Kubernetes.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    /// The machine identity.
    pub identity: IdentityId,
    /// The file with the token. It is read at each login, because the cluster replaces it.
    pub token_file: PathBuf,
}

impl Kubernetes {
    /// Where every pod finds the token of its service account.
    pub const TOKEN_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
}

impl Prove for Kubernetes {
    type Method = kubernetes::Kubernetes;

    async fn prove(&self, context: &LoginContext, _: &Client) -> Result<JwtProof, Error> {
        let jwt = vendor::token(WHAT, &self.read()?)?;
        Ok(context.jwt_proof(self.identity, jwt))
    }
}

impl Kubernetes {
    fn read(&self) -> Result<Zeroizing<String>, Error> {
        let path = self.token_file.display();
        let unusable = |cause: String| Error::NoProof { what: WHAT, cause: cause.into() };
        let file = match File::open(&self.token_file) {
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && self.token_file.as_os_str() == Self::TOKEN_FILE =>
            {
                let what = "this is not a pod of Kubernetes";
                return Err(Error::NotHere { what, cause: format!("there is no `{path}`").into() });
            }
            other => other.map_err(|error| unusable(format!("`{path}`: {error}")))?,
        };
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| unusable(format!("`{path}`: {error}")))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unusable(format!("`{path}` is too long for a token")));
        }
        Ok(text)
    }
}
