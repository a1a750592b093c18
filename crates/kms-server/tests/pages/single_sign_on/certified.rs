//! Against a certified provider, `oidc-provider` of npm, as `conformance/node` pins it.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use http::StatusCode;
use kms_core::{Clock as _, SystemClock};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use super::{
    house::{House, leads_to},
    provider::{CLIENT, SECRET},
};
use crate::visit::{SITE, Visit};

/// The provider, ended with the test.
struct Certified {
    url: String,
    _process: Child,
}

impl Certified {
    async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/node");
        let is_installed = folder.join("node_modules/oidc-provider").is_dir();
        assert!(is_installed, "run `scripts/needs` for the pinned packages of conformance/node");
        let mut process = Command::new("node")
            .arg("identity-provider.js")
            .args([CLIENT, SECRET, &format!("{SITE}/login/sso/callback")])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).await.unwrap();
        Self { url: url.trim().to_owned(), _process: process }
    }

    /// Goes where a browser was sent, as somebody who is asked nothing; answers where it comes
    /// back to.
    async fn sign_in(&self, location: &str, person: &str) -> String {
        let mut cookies = BTreeMap::from([("person".to_owned(), person.to_owned())]);
        let mut location = location.to_owned();
        for _ in 0..10 {
            if let Some(back) = location.strip_prefix(SITE) {
                return back.to_owned();
            }
            location = self.step(&location, &mut cookies).await;
        }
        panic!("led in a circle");
    }

    /// One request of such a browser; answers where it is led to.
    async fn step(&self, location: &str, cookies: &mut BTreeMap<String, String>) -> String {
        let path = location.strip_prefix(&self.url).unwrap_or(location);
        let at = self.url.trim_start_matches("http://");
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {at}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            pairs.join("; ")
        );
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let mut next = None;
        for line in answer.lines().take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("location") {
                next = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.into(), value.into());
            }
        }
        next.unwrap_or_else(|| panic!("{answer}"))
    }
}

/// A server of now with this provider.
async fn house(provider: &Certified, changes: serde_json::Value) -> House {
    let house = House::at(Some(SystemClock.now().seconds())).await;
    let mut config = house.config(&json!({
        "discoveryURL": format!("{}/.well-known/openid-configuration", provider.url),
        "jwtSignatureAlgorithm": "RS256",
    }));
    for (name, change) in changes.as_object().unwrap() {
        config[name] = change.clone();
    }
    house.set_up(&house.ours, config).await.ok();
    house
}

async fn come_back(
    house: &House,
    provider: &Certified,
    visit: &Visit<'_>,
    person: &str,
) -> kms_testkit::Answer {
    let location = house.begin(visit, house.slug()).await;
    visit.get(&provider.sign_in(&location, person).await).await
}

#[tokio::test]
async fn a_certified_provider_signs_its_people_in() {
    let provider = Certified::start().await;
    let house = house(&provider, json!({})).await;
    for _ in 0..2 {
        let visit = house.browser();
        let answer = come_back(&house, &provider, &visit, "grace@corp.example").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(leads_to(&answer), "/device");
        let token = visit.cookie("__Host-kms_page").unwrap();
        let core = house.server.core();
        let person = core.authenticate_page(&token, kms_core::Origin::default()).await.unwrap();
        assert_eq!(&*person.user.email, "grace@corp.example");
        assert_eq!(&*person.auth_method, "oidc");
    }
    assert_eq!(house.reasons().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_certified_provider_says_is_held_to_the_same_rules() {
    let provider = Certified::start().await;
    let house = house(&provider, json!({})).await;
    for (person, reason) in
        [("new@corp.example", "unverified-address"), ("grace@elsewhere.example", "domain")]
    {
        let answer = come_back(&house, &provider, &house.browser(), person).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{person}");
        assert_eq!(house.reasons().await[0], reason);
    }
    // The code of one sign-in with the state of another.
    let visit = house.browser();
    let location = house.begin(&visit, house.slug()).await;
    let back = provider.sign_in(&location, "grace@corp.example").await;
    assert_eq!(visit.get(&back).await.status, StatusCode::OK);
    let again = house.browser();
    let location = house.begin(&again, house.slug()).await;
    let other = provider.sign_in(&location, "grace@corp.example").await;
    let part = |address: &str, name: &str| {
        address.split(name).nth(1).unwrap().split('&').next().unwrap().to_owned()
    };
    let swapped = other.replace(&part(&other, "code="), &part(&back, "code="));
    assert_eq!(again.get(&swapped).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.reasons().await[0], "code");
    // The answer that leaves out whom it is from.
    let third = house.browser();
    let location = house.begin(&third, house.slug()).await;
    let back = provider.sign_in(&location, "grace@corp.example").await;
    let silent = back.split("&iss=").next().unwrap();
    assert_eq!(third.get(silent).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.reasons().await[0], "issuer");
    // A client secret that is not ours.
    house.change(json!({ "clientSecret": "another" })).await.ok();
    let answer = come_back(&house, &provider, &house.browser(), "grace@corp.example").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[tokio::test]
async fn j5_a_certified_provider_under_another_issuers_name_is_refused() {
    let provider = Certified::start().await;
    let url = &provider.url;
    let house = house(
        &provider,
        json!({
            "configurationType": "custom",
            "discoveryURL": "",
            "issuer": format!("{url}/tenant"),
            "authorizationEndpoint": format!("{url}/auth"),
            "tokenEndpoint": format!("{url}/token"),
            "jwksUri": format!("{url}/jwks"),
            "userinfoEndpoint": format!("{url}/me"),
        }),
    )
    .await;
    let visit = house.browser();
    let location = house.begin(&visit, house.slug()).await;
    let back = provider.sign_in(&location, "grace@corp.example").await;
    let silent = back.split("&iss=").next().unwrap();
    assert_eq!(visit.get(silent).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.reasons().await[0], "issuer");
}
