//! Signing the request (AWS Signature Version 4) and putting it into the form of the contract.

use std::{collections::BTreeMap, time::SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kms_api::auth::aws_iam::{REQUEST_BODY, SERVER_HEADER};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::Error;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What the request depends on besides the credentials.
pub(super) struct Request<'a> {
    pub(super) region: &'a str,
    /// The origin of the KMS that alone may use the request.
    pub(super) server: &'a str,
    pub(super) time: SystemTime,
}

impl Request<'_> {
    /// The body and the headers of the signed request, as they are posted.
    pub(super) fn sign(&self, credentials: Credentials) -> Result<(String, SecretString), Error> {
        let host = self.host();
        let length = REQUEST_BODY.len().to_string();
        let mut headers = BTreeMap::from([
            ("Host", host.as_str()),
            ("Content-Type", CONTENT_TYPE),
            ("Content-Length", &length),
            (SERVER_HEADER, self.server),
        ]);
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("sts")
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| Error::Setup(error.into()))?
            .into();
        let signable = SignableRequest::new(
            "POST",
            format!("https://{host}/"),
            headers.iter().map(|(name, value)| (*name, *value)),
            SignableBody::Bytes(REQUEST_BODY.as_bytes()),
        );
        let signed = signable.and_then(|request| sign(request, &parameters));
        let (instructions, _) = signed.map_err(|error| Error::Setup(error.into()))?.into_parts();
        for (name, value) in instructions.headers() {
            headers.insert(spelling(name), value);
        }
        let headers = Zeroizing::new(serde_json::to_vec(&headers).expect("a map of texts is JSON"));
        Ok((STANDARD.encode(REQUEST_BODY), STANDARD.encode(&headers).into()))
    }

    /// STS of the region. Two partitions have a domain of their own.
    fn host(&self) -> String {
        let region = self.region;
        let domain = match region.split('-').next() {
            Some("cn") => "amazonaws.com.cn",
            Some("eusc") => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        format!("sts.{region}.{domain}")
    }
}

/// The spelling in which compatible clients send a header; its case does not matter to AWS.
fn spelling(name: &str) -> &str {
    match name {
        "authorization" => "Authorization",
        "x-amz-date" => "X-Amz-Date",
        "x-amz-security-token" => "X-Amz-Security-Token",
        other => other,
    }
}
