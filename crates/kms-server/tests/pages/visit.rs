//! A browser without JavaScript: it keeps cookies, sends forms and follows where it is led.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use http::{HeaderMap, Method, StatusCode, header::SET_COOKIE};
use kms_core::mail::Mailer;
use kms_server::{RateLimits, Settings};
use kms_testkit::{Answer, Mailbox, Request, Setup, Tenant, TestServer};
use secrecy::ExposeSecret as _;

/// Where people find the server.
pub(crate) const SITE: &str = "https://kms.example.com";

/// A server with one person, who administers everything.
pub(crate) struct House {
    pub(crate) server: TestServer,
    pub(crate) tenant: Tenant,
    /// What it mailed, if it mails.
    pub(crate) mailbox: Arc<Mailbox>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default(), Arc::default()).await
    }

    /// One that mails.
    pub(crate) async fn mailing() -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let mailer: Arc<dyn Mailer> = mailbox.clone();
        Self::with(Setup { mailer: Some(mailer), ..Setup::default() }, mailbox).await
    }

    async fn with(setup: Setup, mailbox: Arc<Mailbox>) -> Self {
        let settings = Settings {
            public_url: SITE.into(),
            rate_limits: RateLimits::OFF,
            ..Settings::default()
        };
        let server = TestServer::with(Setup { settings, ..setup }).await;
        let tenant = server.seed().await;
        Self { server, tenant, mailbox }
    }

    pub(crate) fn email(&self) -> String {
        self.tenant.made.user.email.clone()
    }

    pub(crate) fn password(&self) -> String {
        self.tenant.made.user.password.expose_secret().to_owned()
    }

    pub(crate) fn organization(&self) -> String {
        self.tenant.made.organization.id.to_string()
    }

    /// A browser that nobody signed in with.
    pub(crate) fn browser(&self) -> Visit<'_> {
        Visit::of(&self.server)
    }

    /// A browser that the person signed in with.
    pub(crate) async fn signed_in(&self) -> Visit<'_> {
        let visit = self.browser();
        let answer = visit.log_in(&self.email(), &self.password(), "/account").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        visit
    }
}

/// A browser's visit to a server.
pub(crate) struct Visit<'s> {
    server: &'s TestServer,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'s> Visit<'s> {
    /// A browser that nobody signed in with.
    pub(crate) fn of(server: &'s TestServer) -> Self {
        Self { server, cookies: RefCell::default() }
    }
}

impl Visit<'_> {
    /// Asks for a page.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.server.get(path)).await
    }

    /// Sends a form, as a page of ours does.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.form(path, fields).header("origin", SITE)).await
    }

    /// A form with nothing said about where it stands.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.server.post(path).body("application/x-www-form-urlencoded", body)
    }

    /// Sends a request with the cookies that are kept, and keeps those that come back.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let cookies = self.cookies.borrow().clone();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if pairs.is_empty() { request } else { request.header("cookie", &pairs.join("; ")) };
        let answer = request.send().await;
        self.keep(&answer.headers);
        answer
    }

    /// Asks for where an answer leads to, until a page is there.
    pub(crate) async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            if answer.status != StatusCode::SEE_OTHER {
                return answer;
            }
            let location = answer.header("location").to_owned();
            assert!(location.starts_with('/'), "leads away: {location}");
            answer = self.get(&location).await;
        }
        panic!("led in a circle");
    }

    /// Signs in by password.
    pub(crate) async fn log_in(&self, email: &str, password: &str, target: &str) -> Answer {
        let fields = [("email", email), ("password", password), ("continue", target)];
        self.submit("/login", &fields).await
    }

    /// The value of a cookie that is kept.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Puts a cookie in, as somebody who has a copy would.
    pub(crate) fn put_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.into(), value.into());
    }

    fn keep(&self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            if text.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }
}

/// What a page's forms would send: the values of inputs by name, in the order of the page.
pub(crate) fn inputs(html: &str) -> Vec<(String, String)> {
    let tags = html.split("<input ").skip(1).filter_map(|rest| rest.split('>').next());
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        rest.split('"').next().map(unescaped)
    };
    tags.filter_map(|tag| {
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    })
    .collect()
}

/// Text as it was before it was put into a page.
pub(crate) fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (escaped, plain) in
        [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
    {
        text = text.replace(escaped, plain);
    }
    text
}

/// A method and path of every page.
pub(crate) fn pages() -> Vec<(Method, &'static str)> {
    kms_server::pages().into_iter().map(|route| (route.method, route.info.path)).collect()
}
