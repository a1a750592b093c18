//! A server whose organization has an identity provider.

use std::sync::Arc;

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::{RateLimits, Settings};
use kms_testkit::{Answer, Mailbox, Setup, Tenant, TestServer};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::provider::{CLIENT, Provider, SECRET};
use crate::visit::{SITE, Visit};

/// Somebody of the organization whom nobody knows here yet.
pub(crate) const ADA: &str = "ada@corp.example";

/// A server with two organizations, one of which has an identity provider.
pub(crate) struct House {
    pub(crate) server: TestServer,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) ours: Tenant,
    pub(crate) theirs: Tenant,
    pub(crate) provider: Provider,
}

impl House {
    /// Not set up yet.
    pub(crate) async fn bare() -> Self {
        Self::at(None).await
    }

    /// The same, at a time in Unix seconds.
    pub(crate) async fn at(time: Option<i64>) -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let settings = Settings {
            public_url: SITE.into(),
            rate_limits: RateLimits::OFF,
            ..Settings::default()
        };
        let server = TestServer::with(Setup {
            settings,
            mailer: Some(mailbox.clone()),
            outbound_allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..Setup::default()
        })
        .await;
        if let Some(time) = time {
            server.clock.advance(time - server.core().now().seconds());
        }
        let ours = server.seed().await;
        let theirs = server.seed_another("theirs").await;
        Self { server, mailbox, ours, theirs, provider: Provider::start().await }
    }

    /// Set up, active, for addresses of `corp.example`.
    pub(crate) async fn new() -> Self {
        let house = Self::bare().await;
        let answer = house.set_up(&house.ours, house.config(&json!({}))).await;
        answer.ok();
        house
    }

    /// What an administrator sends, with changes.
    pub(crate) fn config(&self, changes: &Value) -> Value {
        let mut config = json!({
            "configurationType": "discoveryURL",
            "discoveryURL": format!("{}/.well-known/openid-configuration", self.provider.url()),
            "clientId": CLIENT,
            "clientSecret": SECRET,
            "isActive": true,
            "allowedEmailDomains": "corp.example",
            "jwtSignatureAlgorithm": "ES256",
        });
        for (name, change) in changes.as_object().unwrap() {
            config[name] = change.clone();
        }
        config
    }

    pub(crate) async fn set_up(&self, tenant: &Tenant, body: Value) -> Answer {
        self.server.post(paths::OIDC_CONFIG).bearer(&tenant.token).json(body).send().await
    }

    pub(crate) async fn change(&self, body: Value) -> Answer {
        let call = self.server.call(Method::PATCH, paths::OIDC_CONFIG);
        call.bearer(&self.ours.token).json(body).send().await
    }

    pub(crate) fn slug(&self) -> &str {
        &self.ours.made.organization.slug
    }

    pub(crate) fn now(&self) -> i64 {
        self.server.core().now().seconds()
    }

    pub(crate) fn browser(&self) -> Visit<'_> {
        Visit::of(&self.server)
    }

    /// Sends a browser to the provider of an organization; answers where to.
    pub(crate) async fn begin(&self, visit: &Visit<'_>, organization: &str) -> String {
        let fields = [("organization", organization), ("continue", "/device")];
        let answer = visit.submit(paths::LOGIN_SSO, &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        leads_to(&answer)
    }

    /// Signs in at our provider with these claims; answers the page after the return.
    pub(crate) async fn come_back(&self, visit: &Visit<'_>, claims: &Value) -> Answer {
        let location = self.begin(visit, self.slug()).await;
        visit.get(&self.provider.sign_in(&location, self.now(), claims)).await
    }

    /// A browser that Ada signed in with.
    pub(crate) async fn ada(&self) -> Visit<'_> {
        let visit = self.browser();
        let claims = json!({ "sub": "ada", "email": ADA, "given_name": "Ada" });
        let answer = self.come_back(&visit, &claims).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(leads_to(&answer), "/device");
        visit
    }

    /// The administrator of our organization, by password.
    pub(crate) fn administrator(&self) -> (String, String) {
        let user = &self.ours.made.user;
        (user.email.clone(), user.password.expose_secret().to_owned())
    }

    /// Logs in by password at the API; answers a token that acts nowhere yet.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> String {
        let body = json!({ "email": email, "password": password });
        let answer = self.server.post(paths::USER_LOGIN).json(body).send().await.ok();
        answer["accessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn select(&self, token: &str, organization: &str) -> Answer {
        let body = json!({ "organizationId": organization });
        self.server.post(paths::SELECT_ORGANIZATION).bearer(token).json(body).send().await
    }

    /// The audit records of our organization that are about sign-ins.
    pub(crate) async fn reasons(&self) -> Vec<String> {
        let path = format!("{}?eventType=user-login-failed&limit=100", paths::AUDIT_LOGS);
        let answer = self.server.get(&path).bearer(&self.ours.token).send().await.ok();
        let records = answer["auditLogs"].as_array().unwrap();
        let reason =
            |record: &Value| record["event"]["metadata"]["reason"].as_str().map(Into::into);
        records.iter().filter_map(reason).collect()
    }
}

/// Where a page leads on to by itself.
pub(crate) fn leads_to(answer: &Answer) -> String {
    let (_, location) = answer.header("refresh").split_once("url=").expect("leads nowhere");
    // The link on the page leads to the same place.
    let html = crate::visit::unescaped(answer.text());
    assert!(html.contains(&format!("href=\"{location}\"")), "{html}");
    location.to_owned()
}
