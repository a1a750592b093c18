//! Stands in for those who vouch for machines, on this machine: answers what it is told to, and signs
//! as they do.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, OnceLock},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// A request as it arrived.
pub(crate) struct Request {
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

/// A key of 2048 bits, with its name.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) const KID: &str = "0123456789abcdef";

    fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// A token that is good for ten minutes.
    pub(crate) fn sign(&self, mut claims: Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        claims["iat"] = now.into();
        claims["exp"] = (now + 600).into();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": Self::KID });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half as a JWK set.
    pub(crate) fn jwks(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = self.0.public_key();
        let n = encode(key.modulus().big_endian_without_leading_zero());
        let e = encode(key.exponent().big_endian_without_leading_zero());
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "kid": Self::KID, "n": n, "e": e }] })
    }

    /// The private half in PEM form.
    pub(crate) fn private_pem(&self) -> String {
        let der: Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
        let lines = lines.collect::<Vec<_>>().join("\n");
        let label = "PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
    }

    /// The public half as a certificate in PEM form.
    pub(crate) fn certificate(&self) -> String {
        let key = rcgen::KeyPair::from_pem(&self.private_pem()).unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
    }
}

/// What a stand-in answers; `None` is 404.
type Answers = dyn Fn(&Request, &Issuer) -> Option<String> + Send + Sync;

/// An HTTP server with a key.
pub(crate) struct Issuer {
    address: SocketAddr,
    signer: OnceLock<Signer>,
}

/// A cluster that is there, and lets everybody who has a token ask for reviews.
pub(crate) fn cluster() -> Arc<Issuer> {
    Issuer::start(|request, _| match request.target.as_str() {
        "/version" => Some(json!({ "major": "1", "minor": "33" }).to_string()),
        "/apis/authentication.k8s.io/v1/tokenreviews" => {
            assert!(request.header("authorization").starts_with("Bearer "));
            Some(json!({ "kind": "TokenReview" }).to_string())
        }
        _ => None,
    })
}

impl Issuer {
    /// Starts one; it serves until the tests end.
    pub(crate) fn start(
        answers: impl Fn(&Request, &Self) -> Option<String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = Arc::new(Self { address, signer: OnceLock::new() });
        let answering = Arc::clone(&issuer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answering.answer(stream, &answers);
            }
        });
        issuer
    }

    /// Its key, which is made when it is first needed.
    pub(crate) fn signer(&self) -> &Signer {
        self.signer.get_or_init(Signer::new)
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn answer(&self, mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let target = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut request = Request { target, headers: Vec::new(), body: String::new() };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = request.header("content-length").parse().unwrap_or_default();
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        request.body = String::from_utf8_lossy(&body).into_owned();
        let (status, body) = match answers(&request, self) {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", String::new()),
        };
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
             metadata-flavor: Google\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}
