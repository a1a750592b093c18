//! People's logins and sessions, as clients of the contract see them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod factors;
mod oauth;
mod organizations;
mod sessions;

use kms_api::routes as paths;
use kms_testkit::{Answer, Request, Tenant, TestServer};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::tenants::PASSWORD;

/// A server with one person, who administers everything.
pub(crate) struct House {
    pub(crate) server: TestServer,
    pub(crate) tenant: Tenant,
}

/// A login: what the client keeps of the newest answer.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl House {
    pub(crate) async fn new() -> Self {
        let server = TestServer::start().await;
        let tenant = server.seed().await;
        Self { server, tenant }
    }

    pub(crate) fn organization(&self) -> String {
        self.tenant.made.organization.id.to_string()
    }

    /// What the person logs in with.
    pub(crate) fn credentials(&self) -> Value {
        let user = &self.tenant.made.user;
        json!({ "email": user.email, "password": user.password.expose_secret() })
    }

    /// Logs the person in, in no organization yet.
    pub(crate) async fn login(&self) -> Login {
        let answer = self.server.post(paths::USER_LOGIN).json(self.credentials()).send().await;
        let access = text(&answer.ok()["accessToken"]);
        Login { access, refresh: cookie(&answer) }
    }

    /// Chooses an organization.
    pub(crate) async fn select(&self, login: &Login, organization: &str) -> Answer {
        let body = json!({ "organizationId": organization, "userAgent": "cli" });
        self.server.post(paths::SELECT_ORGANIZATION).bearer(&login.access).json(body).send().await
    }

    /// Logs the person in, in the organization.
    pub(crate) async fn enter(&self) -> Login {
        let login = self.login().await;
        let answer = self.select(&login, &self.organization()).await;
        Login { access: text(&answer.ok()["token"]), refresh: cookie(&answer) }
    }

    /// Refreshes with a token.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        with_cookie(self.server.post(paths::REFRESH), token).send().await
    }

    pub(crate) async fn check(&self, access: &str) -> Answer {
        self.server.post(paths::CHECK_AUTH).bearer(access).send().await
    }
}

/// The first administrator's token, who sets the instance up.
pub(crate) async fn administrator(server: &TestServer) -> String {
    let setup = server.core().setup_token().await.unwrap().unwrap();
    let mut body = ada();
    body["firstName"] = "Ada".into();
    body["setupToken"] = setup.expose_secret().into();
    text(&server.post(paths::ADMIN_SIGNUP).json(body).send().await.ok()["token"])
}

/// The same person's token, or another one where a route that was just tried ended the session.
pub(crate) async fn still_in(server: &TestServer, token: String) -> String {
    if server.post(paths::CHECK_AUTH).bearer(&token).send().await.status.is_success() {
        return token;
    }
    let login = server.post(paths::USER_LOGIN).json(ada()).send().await.ok();
    let access = text(&login["accessToken"]);
    let list = server.get(paths::USERS_ME_ORGANIZATIONS).bearer(&access).send().await.ok();
    let organization = json!({ "organizationId": list["organizations"][0]["id"] });
    let selected = server.post(paths::SELECT_ORGANIZATION).bearer(&access).json(organization);
    text(&selected.send().await.ok()["token"])
}

fn ada() -> Value {
    json!({ "email": "ada@example.test", "password": PASSWORD })
}

pub(crate) fn with_cookie(request: Request, token: &str) -> Request {
    request.header("cookie", &format!("jid={token}"))
}

/// The refresh token that an answer sets, with all that protects it.
pub(crate) fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    let value = cookie.strip_prefix("jid=").expect(cookie);
    let token = value.strip_suffix("; HttpOnly; Path=/; SameSite=Strict").expect(cookie);
    token.to_owned()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}
