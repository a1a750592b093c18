//! Signing up, invitations, lost passwords.

use std::sync::Arc;

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::{RateLimits, Settings, route::Access};
use kms_testkit::{Answer, Mailbox, Setup, Tenant, TestServer};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::text;
use crate::{
    filled,
    tenants::{fields, path, sorted},
};

const SITE: &str = "https://kms.example.test";
const PASSWORD: &str = "correct horse battery";
const ADDRESS: &str = "bob@example.test";
const ANY_ID: &str = "0198c0de-0000-7000-8000-000000000000";

/// A server that mails, with an organization, and its administrator logged in there.
struct Mailing {
    server: TestServer,
    mailbox: Arc<Mailbox>,
    tenant: Tenant,
    administrator: String,
}

impl Mailing {
    async fn new() -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let settings = Settings {
            public_url: SITE.into(),
            rate_limits: RateLimits::OFF,
            ..Settings::default()
        };
        let setup = Setup { settings, mailer: Some(mailbox.clone()), ..Setup::default() };
        let server = TestServer::with(setup).await;
        let tenant = server.seed().await;
        let user = &tenant.made.user;
        let (password, organization) =
            (user.password.expose_secret(), tenant.made.organization.id.to_string());
        let administrator = enter(&server, &user.email, password, &organization).await;
        Self { server, mailbox, tenant, administrator }
    }

    fn organization(&self) -> String {
        self.tenant.made.organization.id.to_string()
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.server.post(path).json(body).send().await
    }

    async fn post_as(&self, bearer: &str, path: &str, body: Value) -> Answer {
        self.server.post(path).bearer(bearer).json(body).send().await
    }

    async fn invite(&self, address: &str) -> Answer {
        let body = json!({ "organizationId": self.organization(), "inviteeEmails": [address] });
        self.post_as(&self.administrator, paths::INVITE, body).await
    }

    /// The token of an invited person, good for completing the account.
    async fn verified(&self, address: &str) -> String {
        self.invite(address).await.ok();
        let body = json!({
            "email": address, "organizationId": self.organization(), "code": self.mailbox.token(),
        });
        let answer = self.post(paths::INVITE_VERIFY, body).await.ok();
        assert_eq!(fields(&answer), sorted("message token user"));
        text(&answer["token"])
    }
}

/// Logs a person in, in an organization.
async fn enter(server: &TestServer, email: &str, password: &str, organization: &str) -> String {
    let body = json!({ "email": email, "password": password });
    let login = server.post(paths::USER_LOGIN).json(body).send().await.ok();
    let body = json!({ "organizationId": organization });
    let request = server.post(paths::SELECT_ORGANIZATION).bearer(&text(&login["accessToken"]));
    text(&request.json(body).send().await.ok()["token"])
}

#[tokio::test]
async fn an_invited_person_is_a_member_once_the_account_is_complete() {
    let it = Mailing::new().await;
    let token = it.verified(ADDRESS).await;
    let body = json!({ "email": ADDRESS, "firstName": "Bob", "password": PASSWORD });
    let answer = it.post_as(&token, paths::COMPLETE_INVITATION, body.clone()).await;
    assert!(answer.header("set-cookie").starts_with("jid="), "{}", answer.header("set-cookie"));
    assert_eq!(fields(&answer.ok()), sorted("message user token organizationId"));
    let bob = enter(&it.server, ADDRESS, PASSWORD, &it.organization()).await;
    let members = path(paths::ORGANIZATION_MEMBERSHIPS, &[&it.organization()]);
    let users = it.server.get(&members).bearer(&bob).send().await.ok()["users"].clone();
    let bob = users.as_array().unwrap().iter().find(|user| user["user"]["email"] == ADDRESS);
    assert_eq!(bob.unwrap()["status"], "accepted");
    let again = it.post_as(&token, paths::COMPLETE_INVITATION, body).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    it.server.stop().await;
}

#[tokio::test]
async fn without_mail_the_link_is_answered_in_both_forms() {
    let server = TestServer::start().await;
    let tenant = server.seed().await;
    let user = &tenant.made.user;
    let organization = tenant.made.organization.id.to_string();
    let password = user.password.expose_secret();
    let administrator = enter(&server, &user.email, password, &organization).await;
    let invite = async |body: Value| {
        server.post(paths::INVITE).bearer(&administrator).json(body).send().await.ok()
    };
    let answer =
        invite(json!({ "organizationId": organization, "inviteeEmails": [ADDRESS] })).await;
    assert_eq!(fields(&answer), sorted("message completeInviteLinks"));
    assert_eq!(fields(&answer["completeInviteLinks"][0]), sorted("email link"));
    let answer = invite(json!({ "organizationId": organization, "inviteeEmail": ADDRESS })).await;
    assert_eq!(answer["message"], "Send an invite link to bob@example.test");
    let link = text(&answer["completeInviteLink"]);
    assert!(link.starts_with(&format!("{}/signupinvite?token=", server.url())), "{link}");
    server.stop().await;
}

/// Attack H11: what a client says about our name decides nothing.
#[tokio::test]
async fn h11_links_lead_to_the_configured_site_whatever_the_request_says() {
    let it = Mailing::new().await;
    let forged = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let email = it.tenant.made.user.email.clone();
    let requests = [
        (paths::RECOVERY_START, None, json!({ "email": email })),
        (
            paths::INVITE,
            Some(it.administrator.clone()),
            json!({ "organizationId": it.organization(), "inviteeEmails": [ADDRESS] }),
        ),
        (paths::ADDRESS_CODE, Some(it.administrator.clone()), json!({})),
    ];
    for (path, bearer, body) in requests {
        let mut request = it.server.post(path).json(body);
        for (name, value) in forged {
            request = request.header(name, value);
        }
        if let Some(bearer) = bearer {
            request = request.bearer(&bearer);
        }
        let answer = request.send().await;
        assert!(!answer.text().contains("evil"), "{path}: {}", answer.text());
        let mails = it.mailbox.take();
        assert_eq!(mails.len(), 1, "{path}: {}", answer.text());
        assert!(!mails[0].text.contains("evil") && mails[0].text.contains("kms"), "{path}");
    }
    it.server.stop().await;
}

/// Attack H1 over every route that takes an address from somebody who is not signed in.
#[tokio::test]
async fn h1_no_public_route_tells_whether_an_address_has_an_account() {
    let it = Mailing::new().await;
    let settings = json!({ "allowSignUp": true });
    let user = &it.tenant.made.user;
    let (email, password) = (user.email.clone(), user.password.expose_secret().to_owned());
    let super_admin = enter(&it.server, &email, &password, &it.organization()).await;
    let request = it.server.call(Method::PATCH, paths::ADMIN_CONFIG).bearer(&super_admin);
    request.json(settings).send().await.ok();
    let config = it.server.get(paths::ADMIN_CONFIG).send().await.ok();
    assert_eq!(config["config"]["allowSignUp"], true);
    it.invite(ADDRESS).await.ok();
    let nobody = "nobody@example.test";
    for (path, body) in [
        (paths::SIGN_UP_START, json!({})),
        (paths::SIGN_UP_VERIFY, json!({ "code": "123456" })),
        (paths::SIGN_UP_VERIFY, json!({ "code": "0123456789abcdef" })),
        (paths::RECOVERY_START, json!({})),
        (paths::RECOVERY_VERIFY, json!({ "code": "0123456789abcdef" })),
        (
            paths::INVITE_VERIFY,
            json!({ "code": "0123456789abcdef", "organizationId": it.organization() }),
        ),
        (paths::INVITE_VERIFY, json!({ "code": "0123456789abcdef", "organizationId": ANY_ID })),
    ] {
        let told = async |address: &str| {
            let mut body = body.clone();
            body["email"] = address.into();
            let answer = it.post(path, body).await;
            (answer.status, answer.without_request_id().to_string().replace(address, "…"))
        };
        let unknown = told(nobody).await;
        // Somebody with an account, and somebody who was invited.
        assert_eq!(told(&email).await, unknown, "{path}");
        assert_eq!(told(ADDRESS).await, unknown, "{path}");
    }
    it.server.stop().await;
}

/// Attack J6, for the tokens that complete accounts and set passwords.
#[tokio::test]
async fn j6_a_token_for_completing_an_account_is_good_for_nothing_else() {
    let it = Mailing::new().await;
    let invited = it.verified(ADDRESS).await;
    let email = it.tenant.made.user.email.clone();
    it.post(paths::RECOVERY_START, json!({ "email": email })).await.ok();
    let body = json!({ "email": email, "code": it.mailbox.token() });
    let recovered = text(&it.post(paths::RECOVERY_VERIFY, body).await.ok()["token"]);
    for token in [&invited, &recovered] {
        for route in kms_server::routes() {
            if [Access::Public, Access::Proven].contains(&route.info.access) {
                continue;
            }
            let path = filled(route.info.path, ANY_ID);
            let request = it.server.call(route.method.clone(), &path).bearer(token);
            let reads = route.method == Method::GET;
            let request = if reads { request } else { request.json(json!({})) };
            let status = request.send().await.status;
            assert_eq!(status, StatusCode::FORBIDDEN, "{} {path}", route.method);
        }
    }
    let account = json!({
        "email": ADDRESS, "firstName": "B", "password": PASSWORD, "organizationName": "Mine",
    });
    let new = json!({ "newPassword": "a fresh start for everybody" });
    for (token, path, body) in [
        (&invited, paths::COMPLETE_SIGN_UP, &account),
        (&invited, paths::PASSWORD_RESET, &new),
        (&recovered, paths::COMPLETE_SIGN_UP, &account),
        (&recovered, paths::COMPLETE_INVITATION, &account),
    ] {
        let answer = it.post_as(token, path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.text());
    }
    let answer = it.post_as(&recovered, paths::PASSWORD_RESET, new).await;
    assert_eq!(answer.status, StatusCode::OK);
    it.server.stop().await;
}

#[tokio::test]
async fn administrators_of_the_instance_manage_accounts() {
    let it = Mailing::new().await;
    it.verified(ADDRESS).await;
    let list = async |query: &str| {
        let path = format!("{}?{query}", paths::ADMIN_USERS);
        it.server.get(&path).bearer(&it.administrator).send().await.ok()
    };
    let all = list("").await;
    assert_eq!(fields(&all), sorted("users total"));
    assert_eq!(all["total"], 2);
    assert_eq!(list("adminsOnly=true").await["total"], 1);
    assert_eq!(list("searchTerm=b%25b").await["total"], 0);
    let bob = list("searchTerm=BOB").await["users"][0].clone();
    assert_eq!(bob["email"], ADDRESS);
    let one = path(paths::ADMIN_USER, &[bob["id"].as_str().unwrap()]);
    let gone = it.server.call(Method::DELETE, &one).bearer(&it.administrator).send().await.ok();
    assert_eq!(gone["user"]["email"], ADDRESS);
    assert_eq!(list("").await["total"], 1);
    let own = text(&list("").await["users"][0]["id"]);
    let own = path(paths::ADMIN_USER, &[&own]);
    let refused = it.server.call(Method::DELETE, &own).bearer(&it.administrator).send().await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    it.server.stop().await;
}

#[tokio::test]
async fn the_status_tells_whether_mail_is_sent_and_who_may_sign_up() {
    let it = Mailing::new().await;
    let status = it.server.get(paths::STATUS).send().await.ok();
    assert_eq!(
        (&status["emailConfigured"], &status["inviteOnlySignup"]),
        (&json!(true), &json!(true))
    );
    it.server.stop().await;
    let server = TestServer::start().await;
    assert_eq!(server.get(paths::STATUS).send().await.ok()["emailConfigured"], false);
    server.stop().await;
}
