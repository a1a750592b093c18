//! A person's own account.

mod authenticator;
mod confirm;
mod password;
mod sessions;

use http::StatusCode;
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};

use crate::{
    mailed::{fields as pairs, filled},
    visit::{House, Visit},
};

pub(crate) const NEW_PASSWORD: &str = "another horse battery";
/// The address of [`House::stranger`].
pub(crate) const STRANGER: &str = "eve@example.test";

/// Pages on which somebody changes how they log in.
pub(crate) const SENSITIVE: [&str; 4] = [
    "/account/password",
    "/account/authenticator",
    "/account/recovery-codes",
    "/account/second-factor",
];

impl House {
    /// Logs the person in at the API, with this program; an access token.
    pub(crate) async fn api_login(&self, program: &str) -> String {
        let body = json!({ "email": self.email(), "password": self.password() });
        let request = self.server.post(paths::USER_LOGIN).header("user-agent", program);
        text(&request.json(body).send().await.ok()["accessToken"])
    }

    /// Somebody else, signed in with another browser; the house mails.
    pub(crate) async fn stranger(&self) -> Visit<'_> {
        let visit = self.browser();
        let page = visit.get(&self.invite(STRANGER).await).await;
        let fields = filled(&page, &[("first_name", "Eve"), ("password", NEW_PASSWORD)]);
        leads(&visit.submit("/signupinvite", &pairs(&fields)).await, "/account/welcome");
        visit
    }

    /// The code that an app shows for a secret.
    pub(crate) fn code(&self, secret: &str) -> String {
        let now = self.server.core().now().seconds();
        let link = format!("otpauth://totp/a:b?secret={}&issuer=a", secret.replace(' ', ""));
        let totp = totp_rs::Totp::from_url(&link).unwrap();
        totp.generate(u64::try_from(now).unwrap()).to_string()
    }
}

impl Visit<'_> {
    /// Sets an authenticator app up; its secret and the recovery codes.
    pub(crate) async fn set_up_app(&self, house: &House) -> (String, Vec<String>) {
        let page = self.submit("/account/authenticator", &[]).await;
        let secret = between(page.text(), "<code class=\"secret\">", "</code>").to_owned();
        let code = house.code(&secret);
        let page = self.submit("/account/authenticator/confirm", &[("code", &code)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let codes = page
            .text()
            .split("<li>")
            .skip(1)
            .map(|rest| rest.split("</li>").next().unwrap_or_default().to_owned());
        (secret, codes.collect())
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What stands between two texts of a page.
#[track_caller]
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let Some((_, rest)) = text.split_once(before) else { panic!("no {before} in {text}") };
    rest.split(after).next().unwrap_or_default()
}

/// Asserts that an answer leads to another page.
#[track_caller]
pub(crate) fn leads(answer: &Answer, target: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(answer.header("location"), target);
}

#[tokio::test]
async fn the_account_says_who_one_is_and_leads_to_every_page_of_it() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let page = visit.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains(&house.email()), "{}", page.text());
    assert!(
        page.text().contains(&house.tenant.made.organization.slug) || page.text().contains("<li>")
    );
    let links = page.text().split("href=\"/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let links: Vec<_> = links.map(|path| format!("/{path}")).collect();
    for path in [
        "/account/password",
        "/account/authenticator",
        "/account/second-factor",
        "/account/sessions",
    ] {
        assert!(links.iter().any(|link| link == path), "{path} {links:?}");
    }
    for path in links {
        let answer = visit.get(&path).await;
        assert!([200, 303].contains(&answer.status.as_u16()), "{path} {}", answer.status);
    }
    house.server.stop().await;
}

#[tokio::test]
async fn who_has_just_come_in_is_told_what_to_type() {
    let house = House::new().await;
    let page = house.signed_in().await.get("/account/welcome").await;
    assert!(page.text().contains("kms login --domain https://kms.example.com"), "{}", page.text());
    house.server.stop().await;
}

/// Every page of the account is small, loads nothing, and names each of its fields.
#[tokio::test]
async fn every_page_names_its_fields_and_loads_nothing() {
    let house = House::mailing().await;
    let visit = house.signed_in().await;
    let paths = ["/account", "/account/sessions", "/verify", "/signup", "/password-reset"];
    for path in paths.into_iter().chain(SENSITIVE) {
        let page = visit.get(path).await;
        let text = page.text();
        assert!(text.len() < 20_000, "{path}");
        for loads in ["src=", "@import", "url(", "<script", "http://", "style="] {
            let found = text.replace("https://kms.example.com", "");
            assert!(!found.contains(loads), "{path} {loads}");
        }
        assert!(text.matches("<h1>").count() <= 1, "{path}");
        for tag in text.split("<input ").skip(1).filter_map(|rest| rest.split('>').next()) {
            if tag.contains("type=\"hidden\"") || tag.contains("type=\"radio\"") {
                continue;
            }
            let id = between(tag, "id=\"", "\"");
            assert!(text.contains(&format!("<label for=\"{id}\">")), "{path} {tag}");
            assert!(tag.contains("autocomplete=\""), "{path} {tag}");
        }
    }
    house.server.stop().await;
}
