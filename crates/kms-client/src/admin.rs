//! Setting up an instance.

use kms_api::{
    admin::{Bootstrap, BootstrapResponse},
    routes,
};

use crate::{Client, Error};

impl Client {
    /// Makes the first administrator, organization and instance-admin identity. Works once.
    pub async fn bootstrap(&self, body: &Bootstrap) -> Result<BootstrapResponse, Error> {
        self.post_anonymously(routes::ADMIN_BOOTSTRAP, body).await
    }
}
