//! Machine identities, their logins and their tokens, as clients of the contract see them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod identities;
mod login;
mod methods;
mod tokens;
mod vouched;

use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};

use crate::tenants::{Instance, path};

/// A machine identity with universal auth and one client secret.
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) secret_id: String,
    pub(crate) secret: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Machine {
    /// A member of the organization.
    pub(crate) async fn new(instance: &Instance, settings: Value, secret: Value) -> Self {
        let body = json!({"name": "machine", "role": "member",
            "organizationId": instance.organization});
        let made = instance.send("POST", paths::IDENTITIES, body).await.ok();
        let id = text(&made["identity"]["id"]);
        let attached =
            instance.send("POST", &path(paths::UNIVERSAL_AUTH, &[&id]), settings).await.ok();
        let made = instance.send("POST", &path(paths::CLIENT_SECRETS, &[&id]), secret).await.ok();
        Self {
            client_id: text(&attached["identityUniversalAuth"]["clientId"]),
            secret_id: text(&made["clientSecretData"]["id"]),
            secret: text(&made["clientSecret"]),
            id,
        }
    }

    /// With nothing but defaults.
    pub(crate) async fn plain(instance: &Instance) -> Self {
        Self::new(instance, json!({}), json!({})).await
    }

    fn proof(&self) -> Value {
        json!({"clientId": self.client_id, "clientSecret": self.secret})
    }

    /// Logs in.
    pub(crate) async fn login(&self, instance: &Instance) -> Answer {
        instance.server.post(paths::UNIVERSAL_AUTH_LOGIN).json(self.proof()).send().await
    }

    /// The token of a login.
    pub(crate) async fn token(&self, instance: &Instance) -> String {
        text(&self.login(instance).await.ok()["accessToken"])
    }
}

/// A request that any machine may make.
pub(crate) async fn who(instance: &Instance, token: &str) -> Answer {
    instance.server.get(paths::IDENTITY_DETAILS).bearer(token).send().await
}

/// Renews or revokes a token.
pub(crate) async fn with_token(instance: &Instance, route: &str, token: &str) -> Answer {
    instance.server.post(route).json(json!({"accessToken": token})).send().await
}
