//! What a server says to the person who starts it: a new root key, the set-up token, the
//! credentials of a development instance.

use kms_core::Core;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ServerArgs, StartError, config::Data, output::say};

/// What there is to say once the server is ready.
pub(super) struct Welcome {
    setup_token: Option<SecretString>,
    new_root_key: Option<std::path::PathBuf>,
}

impl Welcome {
    /// Makes what the first start of an instance needs.
    pub(super) async fn prepare(
        args: &ServerArgs,
        core: &Core,
        data: &Data,
        _url: &str,
    ) -> Result<Self, StartError> {
        let setup_token =
            if args.dev { None } else { core.setup_token().await.map_err(StartError::Prepare)? };
        Ok(Self { setup_token, new_root_key: data.new_root_key.clone() })
    }

    /// Says it.
    pub(super) fn tell(&self, _args: &ServerArgs) -> Result<(), StartError> {
        if let Some(path) = &self.new_root_key {
            let path = path.display();
            say(format!("A root key was made in `{path}`. Keep a copy of it somewhere else:"));
            say("without it nothing in this database can be read again.");
        }
        if let Some(token) = &self.setup_token {
            let token = token.expose_secret();
            say(format!("This instance is not set up. Set-up token: {token}"));
            say("hint: kms bootstrap --email you@example.com --organization \"Your team\"");
        }
        Ok(())
    }
}
