//! AWS: an STS that recomputes every signature as AWS does, and machines of each kind that sign.

use std::fs;

use assert_cmd::Command;
use serde_json::json;

use crate::{
    place::Place,
    signed::Signed,
    support::{Reply, Request, Server as StandIn},
};

const LOGIN: &str = "login-identity-aws-auth";
const REFUSED: &str = "login-identity-aws-auth-failed";
const ACCOUNT: &str = "123456789012";
const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";

/// A key that STS knows, and whose it is.
#[derive(Clone, Copy)]
struct Key {
    id: &'static str,
    secret: &'static str,
    session: Option<&'static str>,
    arn: &'static str,
}

const USER: Key = Key {
    id: "AKIAIOSFODNN7EXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    session: None,
    arn: "arn:aws:iam::123456789012:user/ci/deploy",
};
const ROLE: Key = Key {
    id: "ASIAIOSFODNN7EXAMPLE",
    secret: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    session: Some("FwoGZXIvYXdzEBYaDH=="),
    arn: "arn:aws:sts::123456789012:assumed-role/web/i-0abc",
};
const ROOT: Key = Key { id: "AKIAROOTROOTEXAMPLE1", arn: "arn:aws:iam::123456789012:root", ..USER };
const STRANGER: Key =
    Key { id: "AKIASTRANGEREXAMPLE1", arn: "arn:aws:iam::999999999999:user/deploy", ..USER };

/// STS: answers who signed, once the signature is what the request and the key make it.
fn sts() -> StandIn {
    StandIn::answers(|request| {
        let refuse = |code: &str| {
            let error = json!({ "Error": { "Code": code, "Message": code, "Type": "Sender" } });
            Reply::json(403, error)
        };
        if (request.method.as_str(), request.target.as_str(), &request.body[..])
            != ("POST", "/", BODY)
        {
            return refuse("InvalidAction");
        }
        let Some(arn) = signer(request) else { return refuse("SignatureDoesNotMatch") };
        let account = arn.split(':').nth(4).unwrap();
        if request.header("accept") == Some("application/json") {
            return Reply::json(
                200,
                json!({ "GetCallerIdentityResponse": {
                    "GetCallerIdentityResult": {
                        "Account": account, "Arn": arn, "UserId": "AIDACKCEVSQ6C2EXAMPLE" },
                    "ResponseMetadata": { "RequestId": "01234567-89ab-cdef-0123-456789abcdef" },
                } }),
            );
        }
        let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
        let xml = format!(
            "<GetCallerIdentityResponse xmlns=\"{namespace}\">\n  <GetCallerIdentityResult>\n    \
             <Arn>{arn}</Arn>\n    <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>\n    \
             <Account>{account}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
             <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>\n  </ResponseMetadata>\n\
             </GetCallerIdentityResponse>\n"
        );
        Reply::text(200, "text/xml", &xml)
    })
}

/// Whose key a request is signed with.
fn signer(request: &Request) -> Option<&'static str> {
    let signed = Signed {
        method: request.method.clone(),
        path: request.target.clone(),
        headers: request.headers.iter().cloned().collect(),
        body: request.body.clone(),
    };
    let (scope, names, signature) = signed.authorization();
    let [id, scope @ ..] = &scope[..] else { return None };
    let key = [USER, ROLE, ROOT, STRANGER].into_iter().find(|key| key.id == *id)?;
    let session = signed.headers.get("x-amz-security-token").map(String::as_str);
    let complete = names.iter().all(|name| signed.headers.contains_key(*name));
    let genuine = session == key.session
        && complete
        && names.contains(&"host")
        && signature == signed.signature(key.secret, scope, &names);
    genuine.then_some(key.arn)
}

fn place(sts: &StandIn) -> Place {
    Place::start(&[&format!("--aws-sts-url={}", sts.url())])
}

/// A login with nothing of AWS but what is added: no files, and no instance.
pub(crate) fn aws(place: &Place, identity: &str) -> Command {
    let mut command = place.login("aws-iam", identity);
    command.env("AWS_CONFIG_FILE", "/nowhere/config").env("AWS_REGION", "eu-central-1");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A login with a key in the environment.
fn with(place: &Place, identity: &str, key: Key) -> Command {
    let mut command = aws(place, identity);
    command.env("AWS_ACCESS_KEY_ID", key.id).env("AWS_SECRET_ACCESS_KEY", key.secret);
    command.envs(key.session.map(|session| ("AWS_SESSION_TOKEN", session)));
    command
}

/// What metadata services say of a role's credentials.
fn temporary(key: Key) -> Reply {
    Reply::json(
        200,
        json!({
            "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z",
            "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.session,
            "Expiration": "2099-12-31T23:59:59Z",
        }),
    )
}

#[test]
fn a_user_and_a_role_are_admitted_by_the_word_of_sts() {
    let sts = sts();
    let place = place(&sts);
    for (key, allowed) in [
        (USER, json!({ "allowedAccountIds": ACCOUNT })),
        (USER, json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:user/deploy" })),
        (ROLE, json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:role/web" })),
        (ROLE, json!({ "allowedPrincipalArns": "arn:aws:sts::123456789012:assumed-role/w*" })),
    ] {
        let identity = place.machine_with("aws-auth", &allowed);
        let said = place.admits(&mut with(&place, &identity, key), LOGIN);
        assert_eq!(said["identityId"], identity);
        assert_eq!((&said["accountId"], &said["arn"]), (&json!(ACCOUNT), &json!(key.arn)));
    }
    assert_eq!(sts.requests().len(), 4, "STS hears of each login once, from the server");
}

#[test]
fn each_source_of_credentials_leads_in() {
    let sts = sts();
    let place = place(&sts);
    let role = json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:role/web" });
    let identity = place.machine_with("aws-auth", &role);

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let (id, secret, session) = (ROLE.id, ROLE.secret, ROLE.session.unwrap());
    let profile = format!(
        "[profile work]\nregion = eu-west-3\naws_access_key_id = {id}\n\
         aws_secret_access_key = {secret}\naws_session_token = {session}\n"
    );
    fs::write(&config, profile).unwrap();
    let mut login = aws(&place, &identity);
    login.env("AWS_CONFIG_FILE", &config).env("AWS_PROFILE", "work").env_remove("AWS_REGION");
    place.admits(&mut login, LOGIN);

    let agent = StandIn::start([temporary(ROLE)]);
    let mut login = aws(&place, &identity);
    login.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v1/credentials", agent.url()));
    place.admits(login.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-task"), LOGIN);

    let text = |text: &str| Reply::text(200, "text/plain", text);
    let token = text("session").with("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    let instance = StandIn::start([token, text("us-east-2"), text("web"), temporary(ROLE)]);
    let mut login = aws(&place, &identity);
    login.env_remove("AWS_EC2_METADATA_DISABLED").env_remove("AWS_REGION");
    place.admits(login.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url()), LOGIN);

    let hosts: Vec<_> =
        sts.requests().iter().map(|r| r.header("host").unwrap().to_owned()).collect();
    let of = |region: &str| format!("sts.{region}.amazonaws.com");
    assert_eq!(hosts, [of("eu-west-3"), of("eu-central-1"), of("us-east-2")]);
}

#[test]
fn c3_account_and_principal_are_the_identitys() {
    let sts = sts();
    let place = place(&sts);
    let wrong = Key { secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ", ..USER };
    let unknown = Key { id: "AKIANOBODYNOBODYNOBO", ..USER };
    let account = json!({ "allowedAccountIds": ACCOUNT });
    let named = |arn: &str| json!({ "allowedPrincipalArns": arn });
    let denied = "Access denied: AWS principal ARN not allowed. [principal-arn=arn:aws:iam::\
                  123456789012:user/ci/deploy]";
    for (key, allowed, text) in [
        (
            USER,
            json!({ "allowedAccountIds": "999999999999" }),
            "Access denied: AWS account ID not allowed.",
        ),
        (STRANGER, account.clone(), "Access denied: AWS account ID not allowed."),
        (USER, named("arn:aws:iam::123456789012:user/deplo"), denied),
        (USER, named("arn:aws:iam::123456789012:role/deploy"), denied),
        (ROOT, account.clone(), "Access denied: AWS account root principals cannot use AWS Auth."),
    ] {
        let identity = place.machine_with("aws-auth", &allowed);
        place.refuses(&mut with(&place, &identity, key), text, REFUSED, text);
    }
    let identity = place.machine_with("aws-auth", &account);
    for key in [wrong, unknown] {
        let reason = "STS does not believe the signature";
        place.refuses(&mut with(&place, &identity, key), "Invalid credentials", REFUSED, reason);
    }
}

/// A server that somebody else runs sees a proof and tries to use it here.
#[test]
fn c4_a_request_that_was_signed_for_another_server_does_not_log_in() {
    let sts = sts();
    let place = place(&sts);
    let identity = place.machine_with("aws-auth", &json!({ "allowedAccountIds": ACCOUNT }));
    let evil = StandIn::start([Reply::error(401, "try again")]);
    let mut login = with(&place, &identity, USER);
    crate::support::run(login.env("INFISICAL_API_URL", evil.url())).ends_with(3);
    let proof = evil.request().json();
    let answer = place.server.post("/api/v1/auth/aws-auth/login", "", &proof);
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert!(sts.requests().is_empty(), "STS is not even asked");
}
