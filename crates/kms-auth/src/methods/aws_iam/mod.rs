//! AWS: a signed request for `GetCallerIdentity`, which this server sends on to STS.
//!
//! Only what is exactly that request is sent, and only to STS: its address follows from the region
//! that was signed for, by a fixed table (attacks C1, C2). Accounts are always compared, with the
//! partition that they belong to (attack C3).

mod answer;
mod arn;
mod partition;
mod request;

#[cfg(test)]
mod tests;

use http::header;
use kms_api::{
    auth::aws_iam::{Aws, Config, Proof, REQUEST_BODY, Settings},
    error::Issue,
};
use serde_json::json;

use self::{
    answer::CallerIdentity,
    arn::{ArnPattern, Principal as Arn},
    partition::Partition,
    request::Signed,
};
use super::Verify;
use crate::{
    AuthError, Login, Principal, Replay,
    check::{Check, admits, items},
    outbound::{OutboundPolicy, Trust},
};

/// STS of the partition that most accounts are in (wire contract, AWS auth).
const STS: &str = "https://sts.amazonaws.com/";

impl Verify for Aws {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        _: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let (new, old) = (settings, current);
        let endpoint =
            check.setting("stsEndpoint", new.sts_endpoint.as_ref(), old.map(|c| &c.sts_endpoint));
        let config = Config {
            r#type: "iam".into(),
            sts_endpoint: if endpoint.is_empty() { STS.into() } else { endpoint },
            allowed_principal_arns: check.list(
                "allowedPrincipalArns",
                new.allowed_principal_arns.as_ref(),
                old.map(|c| &c.allowed_principal_arns),
            ),
            allowed_account_ids: check.list(
                "allowedAccountIds",
                new.allowed_account_ids.as_ref(),
                old.map(|c| &c.allowed_account_ids),
            ),
            require_server_header: new
                .require_server_header
                .unwrap_or_else(|| old.is_some_and(|c| c.require_server_header)),
        };
        check_limits(&mut check, &config);
        check.finish(config)
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let partition = Partition::of_endpoint(&config.sts_endpoint)
            .ok_or_else(|| AuthError::unreachable("the configuration names no partition"))?;
        let override_at = login.verifier.endpoints.aws_sts.as_deref();
        let signed = Signed::read(proof, partition, override_at)?;
        signed.require_recent(login.now)?;
        signed.require_for(login.origins, config.require_server_header)?;
        let caller = ask(&signed, override_at, login).await?;
        let arn = Arn::read(&caller.arn)?;
        if arn.partition != partition.name || arn.account != caller.account {
            return Err(AuthError::denied("Access denied: the account is of another partition"));
        }
        if !admits(&config.allowed_account_ids, &caller.account) {
            return Err(AuthError::denied("Access denied: AWS account ID not allowed."));
        }
        let mut patterns = items(&config.allowed_principal_arns).filter_map(ArnPattern::read);
        if !config.allowed_principal_arns.is_empty()
            && !patterns.any(|pattern| pattern.admits(&arn))
        {
            let refusal = "Access denied: AWS principal ARN not allowed.";
            return Err(AuthError::denied(format!("{refusal} [principal-arn={}]", caller.arn)));
        }
        let claims = json!({
            "accountId": caller.account,
            "arn": caller.arn,
            "userId": caller.user_id,
            "partition": arn.partition,
            "service": arn.service,
            "resourceType": arn.kind,
            "resourceName": arn.name,
        });
        let expires_at = signed.made_at + request::MAX_AGE + 1;
        let replay = Some(Replay { id: signed.signature.clone(), expires_at });
        let principal = Principal { replay, ..Principal::of("aws", claims) };
        Ok(principal.fact("accountId", caller.account).fact("arn", caller.arn))
    }
}

fn check_limits(check: &mut Check, config: &Config) {
    let partition = Partition::of_endpoint(&config.sts_endpoint);
    if partition.is_none() {
        check.refuse(
            "stsEndpoint",
            "Must be an STS endpoint of AWS, such as `https://sts.amazonaws.com/`",
        );
    }
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    check.require(
        items(&config.allowed_account_ids).all(is_account),
        "allowedAccountIds",
        "Must be ids of accounts, 12 digits each",
    );
    for arn in items(&config.allowed_principal_arns) {
        match ArnPattern::read(arn) {
            None => check.refuse(
                "allowedPrincipalArns",
                "Must be ARNs of users or roles, with a whole account id",
            ),
            Some(arn) => check.require(
                partition.is_none_or(|partition| partition.name == arn.partition()),
                "allowedPrincipalArns",
                "Must be in the partition of `stsEndpoint`",
            ),
        }
    }
    check.require(
        !config.allowed_account_ids.is_empty() || !config.allowed_principal_arns.is_empty(),
        "allowedAccountIds",
        "Must name accounts or principals: without a limit everybody who uses AWS could log in",
    );
}

/// Who signed, by the word of STS.
async fn ask(
    signed: &Signed,
    override_at: Option<&str>,
    login: Login<'_>,
) -> Result<CallerIdentity, AuthError> {
    let url = override_at.map_or_else(|| format!("https://{}/", signed.host), str::to_owned);
    let mut request = http::Request::post(url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    if !signed.headers.contains_key(header::ACCEPT) {
        request = request.header(header::ACCEPT, "application/json");
    }
    let request = request
        .body(REQUEST_BODY.into())
        .map_err(|_| AuthError::unverified("the headers cannot be sent"))?;
    // The caller chose the region, and with it whether there is an STS: an answer of its own would
    // tell them that the identity exists (attack C15).
    let answer = login.verifier.outbound.send_to_vendor(request, &Trust::public()).await;
    let answer = answer
        .map_err(|error| AuthError::unverified(AuthError::from(error).reason().to_owned()))?;
    match answer.status().as_u16() {
        200 => CallerIdentity::read(answer.body())
            .ok_or_else(|| AuthError::unreachable("STS gave an answer in another form")),
        400..=499 => Err(AuthError::unverified("STS does not believe the signature")),
        status => Err(AuthError::unreachable(format!("STS answered with {status}"))),
    }
}
