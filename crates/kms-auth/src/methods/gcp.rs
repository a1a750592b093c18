//! GCP, twice: an ID token that Google signed for an instance, or a token that a service account
//! signed. Which of the two is the identity's configuration's to say, and each has its own keys:
//! a service account that signs claims about an instance proves nothing about one (attack C5).

use kms_api::{
    auth::gcp::{Config, GcpIdToken, Kind, Proof, Settings},
    error::Issue,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{VENDOR_LIFETIME, Verify};
use crate::{
    AuthError, Login, Principal,
    check::{Check, admits, items},
    jwt::{Claims, Unverified},
    keys::KeySet,
    outbound::{OutboundPolicy, Trust},
};

/// The issuer of Google's ID tokens.
const ISSUER: &str = "https://accounts.google.com";
/// What e-mail addresses of service accounts that can sign end with.
const ACCOUNTS: &str = ".iam.gserviceaccount.com";

impl Verify for GcpIdToken {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        _: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let (new, old) = (settings, current);
        let kind = new.r#type.or_else(|| old.map(|c| c.r#type));
        if kind.is_none() {
            check.refuse("type", "Required");
        }
        let config = Config {
            r#type: kind.unwrap_or(Kind::Gce),
            allowed_service_accounts: check.list(
                "allowedServiceAccounts",
                new.allowed_service_accounts.as_ref(),
                old.map(|c| &c.allowed_service_accounts),
            ),
            allowed_projects: check.list(
                "allowedProjects",
                new.allowed_projects.as_ref(),
                old.map(|c| &c.allowed_projects),
            ),
            allowed_zones: check.list(
                "allowedZones",
                new.allowed_zones.as_ref(),
                old.map(|c| &c.allowed_zones),
            ),
        };
        let is_set = |list: &str| items(list).next().is_some();
        let limits_instances = config.r#type == Kind::Gce && is_set(&config.allowed_projects);
        check.require(
            is_set(&config.allowed_service_accounts) || limits_instances,
            "allowedServiceAccounts",
            "Must name service accounts (or, for `gce`, projects): without a limit everybody who \
             uses Google's cloud could log in",
        );
        check.finish(config)
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let token = Unverified::read(proof.jwt.expose_secret())?;
        match config.r#type {
            Kind::Gce => instance(config, token, login).await,
            Kind::Iam => account(config, token, login).await,
        }
    }
}

/// An ID token that Google signed for an instance.
async fn instance(
    config: &Config,
    token: Unverified<'_>,
    login: Login<'_>,
) -> Result<Principal, AuthError> {
    let verifier = login.verifier;
    let kid = token.kid().map(str::to_owned);
    let kid = kid.ok_or_else(|| AuthError::unverified("names no key"))?;
    let wanted = |keys: &KeySet| keys.get(&kid).is_some();
    let url = &verifier.endpoints.google_keys;
    let keys =
        verifier.key_sets.get(&verifier.outbound, url, &Trust::public(), login.now, wanted).await?;
    let claims = token.verified_by(&keys)?;
    require_for(&claims, login)?;
    if claims.text("iss") != Some(ISSUER) {
        return Err(AuthError::denied("Access denied: not a token of Google"));
    }
    let email = claims.text("email").filter(|_| claims.get("email_verified") == Some(&true.into()));
    let email =
        email.ok_or_else(|| AuthError::denied("Access denied: no verified e-mail address"))?;
    require_account(config, email)?;
    let engine = claims.get("google").and_then(|google| google.get("compute_engine"));
    let fact = |name: &str| engine.and_then(|engine| engine.get(name)).and_then(Value::as_str);
    // What is limited must be there: a token without it comes from anywhere (attack C6).
    let admitted = |list: &str, name| match fact(name) {
        Some(value) => admits(list, value),
        None => items(list).next().is_none(),
    };
    if !admitted(&config.allowed_projects, "project_id") {
        return Err(AuthError::denied("Access denied: GCP project not allowed."));
    }
    if !admitted(&config.allowed_zones, "zone") {
        return Err(AuthError::denied("Access denied: GCP zone not allowed."));
    }
    let mut claims = json!({ "serviceAccount": email });
    let mut principal = Principal::default().fact("serviceAccount", email);
    for (claim, name) in [("projectId", "project_id"), ("zone", "zone")] {
        if let Some(value) = fact(name) {
            claims[claim] = value.into();
            principal = principal.fact(claim, value);
        }
    }
    principal.identity_auth.insert("gcp".into(), claims);
    Ok(principal)
}

/// A token that a service account signed. Only its own name is taken from it.
async fn account(
    config: &Config,
    token: Unverified<'_>,
    login: Login<'_>,
) -> Result<Principal, AuthError> {
    let verifier = login.verifier;
    let account = token.claimed_subject().filter(|name| is_account(name)).map(str::to_owned);
    let account =
        account.ok_or_else(|| AuthError::unverified("the subject is no service account"))?;
    // Before anything is asked: nobody makes this server ask about accounts that have no say.
    if !admits(&config.allowed_service_accounts, &account) {
        return Err(AuthError::unverified("the service account is not allowed"));
    }
    let kid = token.kid().map(str::to_owned);
    let kid = kid.ok_or_else(|| AuthError::unverified("names no key"))?;
    let wanted = |keys: &KeySet| keys.get(&kid).is_some();
    let name = account.replace('@', "%40");
    let url = format!("{}/{name}", verifier.endpoints.google_certificates);
    let keys = verifier
        .certificates
        .get(&verifier.outbound, &url, &Trust::public(), login.now, wanted)
        .await?;
    let claims = token.verified_by(&keys)?;
    require_for(&claims, login)?;
    require_account(config, &account)?;
    Ok(Principal::of("gcp", json!({ "serviceAccount": account })).fact("serviceAccount", account))
}

/// Refuses a token that is not for this machine identity, now.
fn require_for(claims: &Claims, login: Login<'_>) -> Result<(), AuthError> {
    claims.require_current(login.now, VENDOR_LIFETIME)?;
    if claims.text("aud") == Some(login.identity.to_string().as_str()) {
        return Ok(());
    }
    Err(AuthError::denied("Access denied: the token's audience is not the id of this identity"))
}

fn require_account(config: &Config, email: &str) -> Result<(), AuthError> {
    if admits(&config.allowed_service_accounts, email) {
        return Ok(());
    }
    Err(AuthError::denied("Access denied: GCP service account not allowed."))
}

/// Whether a text is the address of a service account that can sign; it becomes a part of the
/// address that its certificates are at (attack C7).
fn is_account(text: &str) -> bool {
    let is_part = |part: &str| {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.len() <= 64 && part.chars().all(known)
    };
    let Some((name, host)) = text.split_once('@') else { return false };
    is_part(name) && host.strip_suffix(ACCOUNTS).is_some_and(is_part)
}
