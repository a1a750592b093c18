//! What the server says about itself.

use kms_api::{routes, status::Status};

use crate::{Client, Error};

impl Client {
    /// Asks whether the server is ready, which shows that it is one.
    pub async fn status(&self) -> Result<Status, Error> {
        self.get(routes::STATUS, &()).await
    }
}
