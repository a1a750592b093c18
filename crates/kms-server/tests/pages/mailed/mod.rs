//! The pages behind mailed links.

mod invitation;
mod password_reset;
mod sign_up;
mod verify;

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};

use crate::{
    account::text,
    visit::{House, SITE, inputs},
};

pub(crate) const ADDRESS: &str = "bob@example.test";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Other spellings of that address.
pub(crate) const SPELLINGS: [&str; 4] = [
    " Bob@Example.TEST ",
    "BOB@EXAMPLE.TEST",
    "\u{ff22}ob@example.test",
    "bob@\u{ff45}xample.test",
];

impl House {
    /// The person's access token in their organization.
    pub(crate) async fn administrator(&self) -> String {
        let access = self.api_login("kms-cli/0.1.0").await;
        let request = self.server.post(paths::SELECT_ORGANIZATION).bearer(&access);
        let body = json!({ "organizationId": self.organization() });
        text(&request.json(body).send().await.ok()["token"])
    }

    /// Sends a body as the person.
    pub(crate) async fn as_administrator(&self, method: Method, path: &str, body: Value) -> Value {
        let access = self.administrator().await;
        self.server.call(method, path).bearer(&access).json(body).send().await.ok()
    }

    /// Invites somebody; the path of the link in the mail.
    pub(crate) async fn invite(&self, address: &str) -> String {
        let body = json!({ "organizationId": self.organization(), "inviteeEmails": [address] });
        self.as_administrator(Method::POST, paths::INVITE, body).await;
        self.mailed_path()
    }

    /// Lets strangers in.
    pub(crate) async fn open_to_all(&self) {
        let body = json!({ "allowSignUp": true });
        self.as_administrator(Method::PATCH, paths::ADMIN_CONFIG, body).await;
    }

    /// Path and query of the link in the only new mail, which leads to the site and nowhere else.
    #[track_caller]
    pub(crate) fn mailed_path(&self) -> String {
        let mails = self.mailbox.take();
        let [mail] = &mails[..] else { panic!("{} mails", mails.len()) };
        for link in mail.text.split("http").skip(1) {
            assert!(format!("http{link}").starts_with(SITE), "{}", mail.text);
        }
        let link = mail.text.split(&format!("{SITE}/")).find(|text| text.contains("token="));
        let link = link.expect("a link").split_whitespace().next().unwrap();
        format!("/{link}")
    }

    /// How many people the organization has who take part.
    pub(crate) async fn members(&self) -> usize {
        let path =
            paths::ORGANIZATION_MEMBERSHIPS.replace("{organizationId}", &self.organization());
        let body = self.as_administrator(Method::GET, &path, json!({})).await;
        let users = body["users"].as_array().unwrap().iter();
        users.filter(|user| user["status"] == "accepted").count()
    }
}

/// The hidden and filled fields of a page, with others in their place or beside them.
pub(crate) fn filled<'v>(page: &Answer, typed: &[(&'v str, &'v str)]) -> Vec<(String, String)> {
    let mut fields = inputs(page.text());
    fields.retain(|(name, _)| typed.iter().all(|(typed, _)| name != typed));
    fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

/// Borrows fields.
pub(crate) fn fields(owned: &[(String, String)]) -> Vec<(&str, &str)> {
    owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A link with `token` of another.
pub(crate) fn with_token(path: &str, token: &str) -> String {
    let (before, rest) = path.split_once("token=").unwrap();
    let after = rest.split_once('&').map_or("", |(_, after)| after);
    format!("{before}token={token}&{after}")
}

pub(crate) fn token_of(path: &str) -> &str {
    path.split_once("token=").unwrap().1.split('&').next().unwrap()
}

/// Links that were cut off or made up lead to the same page as those that are over.
#[tokio::test]
async fn h11_a_link_that_is_none_reads_like_one_that_is_over() {
    let house = House::mailing().await;
    house.open_to_all().await;
    let visit = house.browser();
    for page in ["/signup", "/signupinvite", "/password-reset"] {
        let organization = "&organization_id=0198c0de-0000-7000-8000-000000000000";
        for query in [
            format!("?token=canary&to=nobody%40example.test{organization}"),
            format!("?token=000000&to=nobody%40example.test{organization}"),
            format!("?token=canary&to=canary{organization}"),
            format!("?token=&to=a%40b.c{organization}"),
        ] {
            let answer = visit.get(&format!("{page}{query}")).await;
            assert_eq!(answer.status, StatusCode::GONE, "{page}{query} {}", answer.text());
            assert!(!answer.text().contains("canary"), "{page}{query}");
        }
    }
    let answer = visit.get("/signupinvite?token=x").await;
    assert_eq!(answer.status, StatusCode::GONE);
    let answer = visit.get("/signupinvite?token=x&to=a%40b.c&organization_id=canary").await;
    assert_eq!(answer.status, StatusCode::GONE);
    house.server.stop().await;
}

/// Whatever a request says about where it was sent, mails lead to the configured site.
#[tokio::test]
async fn h11_a_forged_host_gets_into_no_mail() {
    let house = House::mailing().await;
    house.open_to_all().await;
    let visit = house.browser();
    for (page, address) in [("/password-reset", house.email()), ("/signup", ADDRESS.into())] {
        let form = visit.form(page, &[("email", &address)]).header("origin", SITE);
        let form = form.header("host", "evil.example").header("x-forwarded-host", "evil.example");
        let form =
            form.header("x-forwarded-proto", "http").header("forwarded", "host=evil.example");
        let answer = visit.send(form).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{}", answer.text());
        assert!(!answer.text().contains("evil"), "{}", answer.text());
        assert!(!answer.header("location").contains("evil"));
        assert!(house.mailed_path().starts_with(page));
    }
    house.server.stop().await;
}

#[tokio::test]
async fn the_login_leads_to_a_lost_password_and_to_signing_up_where_that_is_allowed() {
    let house = House::mailing().await;
    let page = house.browser().get("/login").await;
    assert!(page.text().contains("href=\"/password-reset\""), "{}", page.text());
    assert!(!page.text().contains("href=\"/signup\""));
    let closed = house.browser().get("/signup").await;
    assert_eq!(closed.status, StatusCode::FORBIDDEN);
    assert!(closed.text().contains("by invitation"), "{}", closed.text());
    house.open_to_all().await;
    assert!(house.browser().get("/login").await.text().contains("href=\"/signup\""));
    assert_eq!(house.browser().get("/signup").await.status, StatusCode::OK);
    house.server.stop().await;
}
