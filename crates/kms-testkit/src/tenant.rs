//! An organization with something in it.

use kms_api::auth::universal::Proof;
use kms_core::{Caller, DevCredentials, Origin};

use crate::TestServer;

/// An organization with one project, and a machine that administers both.
pub struct Tenant {
    /// What was made.
    pub made: DevCredentials,
    /// The machine's access token.
    pub token: String,
    /// The machine, for calls of the product itself.
    pub caller: Caller,
}

impl Tenant {
    pub(crate) async fn of(server: &TestServer, made: DevCredentials) -> Self {
        let proof = Proof {
            client_id: made.machine_identity.client_id.clone(),
            client_secret: made.machine_identity.client_secret.clone(),
            organization_slug: None,
        };
        let core = server.core();
        let token =
            core.universal_auth_login(&proof, &Origin::default()).await.unwrap().access_token;
        let caller = core.authenticate(&token, Origin::default()).await.unwrap();
        Self { made, token, caller }
    }
}
