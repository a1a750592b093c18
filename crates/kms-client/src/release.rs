//! What a release feed names as the latest version. It is asked as by anybody: without a token,
//! without custom headers, and with nothing about who asks.

use std::{path::Path, time::Duration};

use reqwest::header::ACCEPT;
use serde::Deserialize;
use url::Url;

use crate::{
    Origin,
    builder::{proxy_for, transport},
    tls,
    verifier::Seen,
    version,
};

/// How long the feed may take to answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// No answer is longer; what is, is no feed.
const MAX_ANSWER: usize = 256 * 1024;

/// The latest release: ours by `version`, that of a list of releases by the tag.
#[derive(Deserialize)]
struct Release {
    #[serde(alias = "tag_name")]
    version: String,
}

/// The latest version that a feed names. `None` where it names none, does not answer, or is at an
/// address that is neither encrypted nor of this machine. A redirect is not followed.
pub async fn latest_release(address: &str, certificates: Option<&Path>) -> Option<String> {
    let url = Url::parse(address.trim()).ok()?;
    let origin: Origin = url.origin().ascii_serialization().parse().ok()?;
    if !origin.is_https() && !origin.is_loopback() {
        return None;
    }
    let proxied = proxy_for(&origin).is_some();
    let tls = tls::config(certificates, Seen::default()).ok()?;
    let http = transport(tls, proxied).timeout(PATIENCE).build().ok()?;
    let request = http.get(url).header(ACCEPT, "application/json");
    let mut response = request.send().await.ok().filter(|answer| answer.status().is_success())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    let release: Release = serde_json::from_slice(&body).ok()?;
    version::plain(release.version.strip_prefix('v').unwrap_or(&release.version))
}
