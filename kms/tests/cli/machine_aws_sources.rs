//! `kms login --method=aws-iam`: where the credentials come from, and how often whoever has them is
//! asked. The answers have the shapes that AWS documents.

use std::{fs, path::PathBuf, time::Instant};

use assert_cmd::Command;
use serde_json::json;

use crate::{
    machine::granted,
    machine_aws::{KEY_ID, SECRET, SESSION, aws, check, sign},
    support::{CANARY, Reply, Request, Server, run},
};

/// Not much later than now, in the vendor's eyes.
const END: &str = "2099-12-31T23:59:59Z";

fn temporary() -> Reply {
    Reply::json(
        200,
        json!({
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": "2026-01-01T00:00:00Z",
            "AccessKeyId": KEY_ID,
            "SecretAccessKey": SECRET,
            "Token": SESSION,
            "Expiration": END,
        }),
    )
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(config: &str) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.write("config", config);
        files
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn aws(&self, server: &Server) -> Command {
        let mut command = aws(server);
        command.env("AWS_CONFIG_FILE", self.folder.path().join("config"));
        command.env("HOME", self.folder.path());
        command
    }
}

fn targets(vendor: &Server) -> Vec<String> {
    let line = |request: &Request| format!("{} {}", request.method, request.target);
    vendor.requests().iter().map(line).collect()
}

#[test]
fn a_profile_has_keys_and_region_and_the_variable_chooses_it() {
    let files = Files::new(&format!(
        "[default]\nregion = us-east-1\naws_access_key_id = other\naws_secret_access_key = other\n\
         [profile work]\nregion = eu-west-3\naws_access_key_id = {KEY_ID}\n\
         aws_secret_access_key = {SECRET}\n"
    ));
    let server = Server::start([granted()]);
    let proof = sign(files.aws(&server).env("AWS_PROFILE", "work"), &server);
    check(&proof, &server, "eu-west-3", None);
}

#[test]
fn a_credential_process_is_run() {
    let files = Files::new("");
    let output = json!({
        "Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET,
        "SessionToken": SESSION, "Expiration": END,
    });
    let output = files.write("output.json", &output.to_string());
    let line = format!(
        "[default]\nregion = us-west-2\ncredential_process = /bin/cat {}\n",
        output.display()
    );
    files.write("config", &line);
    let server = Server::start([granted()]);
    check(&sign(&mut files.aws(&server), &server), &server, "us-west-2", Some(SESSION));
}

#[test]
fn what_is_at_hand_is_signed_with_and_nobody_is_asked() {
    let keys = format!("aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    let files = Files::new("");
    let output = json!({ "Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET });
    let output = files.write("output.json", &output.to_string());
    let process = format!("credential_process = /bin/cat {}\n", output.display());
    for profile in [&keys, &process, ""] {
        files.write("config", &format!("[default]\nregion = us-east-1\n{profile}"));
        // Everybody who could be asked is here.
        let vendor = Server::start([]);
        let server = Server::start([granted()]);
        let mut command = files.aws(&server);
        command.env("AWS_ENDPOINT_URL", vendor.url());
        command.env_remove("AWS_EC2_METADATA_DISABLED");
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", vendor.url());
        if profile.is_empty() {
            command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        }
        check(&sign(&mut command, &server), &server, "us-east-1", None);
        assert!(targets(&vendor).is_empty(), "{profile}: {:?}", targets(&vendor));
    }
}

#[test]
fn another_role_of_a_profile_is_assumed_once() {
    let files = Files::new(&format!(
        "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/deploy\n\
         source_profile = keys\n[profile keys]\naws_access_key_id = AKIAOTHEREXAMPLE\n\
         aws_secret_access_key = {CANARY}\n"
    ));
    let answer = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><Credentials><AccessKeyId>{KEY_ID}</AccessKeyId>\
         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION}</SessionToken>\
         <Expiration>{END}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    let sts = Server::start([Reply::text(200, "text/xml", &answer)]);
    let server = Server::start([granted()]);
    let mut command = files.aws(&server);
    command.env("AWS_ENDPOINT_URL_STS", sts.url());
    check(&sign(&mut command, &server), &server, "eu-west-1", Some(SESSION));
    let body = String::from_utf8(sts.request().body).unwrap();
    assert!(body.contains("Action=AssumeRole&"), "{body}");
}

#[test]
fn a_web_identity_is_exchanged_once() {
    let files = Files::new("");
    let token = files.write("token", "eyJ.of.the-cluster");
    let answer = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{KEY_ID}</AccessKeyId>\
         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION}</SessionToken>\
         <Expiration>{END}</Expiration></Credentials>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/deploy/job</Arn>\
         <AssumedRoleId>AROA:job</AssumedRoleId></AssumedRoleUser>\
         </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    let sts = Server::start([Reply::text(200, "text/xml", &answer)]);
    let server = Server::start([granted()]);
    let mut command = files.aws(&server);
    command.env("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    command.env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy");
    command.env("AWS_ROLE_SESSION_NAME", "job").env("AWS_REGION", "eu-west-1");
    command.env("AWS_ENDPOINT_URL_STS", sts.url());
    check(&sign(&mut command, &server), &server, "eu-west-1", Some(SESSION));
    let request = sts.request();
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("authorization"), None, "there is nothing to sign with yet");
    let body = String::from_utf8(request.body).unwrap();
    for part in [
        "Action=AssumeRoleWithWebIdentity",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdeploy",
        "RoleSessionName=job",
        "WebIdentityToken=eyJ.of.the-cluster",
    ] {
        assert!(body.split('&').any(|pair| pair == part), "{part} in {body}");
    }
}

#[test]
fn a_container_is_asked_once_with_its_token() {
    let files = Files::new("");
    let file = files.write("eks-token", "of-the-pod");
    // ECS hands the token over in a variable, EKS Pod Identity in a file that it replaces.
    for in_file in [false, true] {
        let agent = Server::start([temporary()]);
        let server = Server::start([granted()]);
        let mut command = aws(&server);
        command.env("AWS_REGION", "us-east-2");
        command
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v1/credentials", agent.url()));
        if in_file {
            command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file);
        } else {
            command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-task");
        }
        check(&sign(&mut command, &server), &server, "us-east-2", Some(SESSION));
        assert_eq!(targets(&agent), ["GET /v1/credentials"]);
        let expected = if in_file { "of-the-pod" } else { "of-the-task" };
        assert_eq!(agent.request().header("authorization"), Some(expected));
    }
}

/// The answers of an instance: its session token, perhaps its region, its role, the credentials.
fn instance(names_region: bool) -> Vec<Reply> {
    let text = |text: &str| Reply::text(200, "text/plain", text);
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
    let mut replies = vec![text(CANARY).with(ttl, "21600")];
    if names_region {
        replies.push(text("ap-south-1"));
    }
    replies.extend([text("deploy-role"), temporary()]);
    replies
}

fn on_an_instance(server: &Server, url: &str) -> Command {
    let mut command = aws(server);
    command.env_remove("AWS_EC2_METADATA_DISABLED");
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    command
}

#[test]
fn an_instance_is_asked_for_one_session_token_its_region_and_its_role() {
    for names_region in [true, false] {
        let metadata = Server::start(instance(names_region));
        let server = Server::start([granted()]);
        let mut command = on_an_instance(&server, &metadata.url());
        if !names_region {
            command.env("AWS_REGION", "ap-south-1");
        }
        check(&sign(&mut command, &server), &server, "ap-south-1", Some(SESSION));
        let mut expected = vec!["PUT /latest/api/token", "GET /latest/meta-data/placement/region"];
        expected.truncate(if names_region { 2 } else { 1 });
        expected.push("GET /latest/meta-data/iam/security-credentials/");
        expected.push("GET /latest/meta-data/iam/security-credentials/deploy-role");
        assert_eq!(targets(&metadata), expected);
        let requests = metadata.requests();
        let header = "x-aws-ec2-metadata-token-ttl-seconds";
        assert_eq!(requests[0].header(header), Some("21600"));
        for request in &requests[1..] {
            assert_eq!(request.header("x-aws-ec2-metadata-token"), Some(CANARY));
        }
    }
}

#[test]
fn an_instance_without_a_role_says_so() {
    let mut replies = instance(true);
    replies.truncate(2);
    replies.push(Reply::text(404, "text/html", "<html>Not Found"));
    let metadata = Server::start(replies);
    let server = Server::start([]);
    run(&mut on_an_instance(&server, &metadata.url()))
        .ends_with(1)
        .says("there are no credentials of AWS here");
}

#[test]
fn somebody_else_at_the_address_of_the_instance_is_no_instance() {
    let metadata = Server::start([Reply::text(403, "text/plain", "forbidden")]);
    let server = Server::start([]);
    run(on_an_instance(&server, &metadata.url()).env("AWS_REGION", "us-east-1"))
        .ends_with(1)
        .says("there are no credentials of AWS here")
        .says(&format!("the instance (`{}`)", metadata.url()));
    assert_eq!(metadata.requests().len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn elsewhere_it_is_said_soon_and_with_what_was_tried() {
    use crate::support::BlackHole;

    let hole = BlackHole::new();
    let url = format!("http://{}", hole.authority());
    let server = Server::start([]);
    let started = Instant::now();
    run(&mut on_an_instance(&server, &url))
        .ends_with(1)
        .says("unable to authenticate with `aws-iam`")
        .says("there are no credentials of AWS here")
        .says("the environment (`AWS_ACCESS_KEY_ID`)")
        .says("the profile `default`")
        .says("AWS_WEB_IDENTITY_TOKEN_FILE")
        .says("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .says(&format!("the instance (`{url}`)"))
        .says("aws sts get-caller-identity");
    let taken = started.elapsed().as_secs();
    assert!(taken < 4, "{taken} s; a second is what a connection may take");
}

#[test]
fn an_instance_that_does_not_answer_is_waited_for_once() {
    use std::time::Duration;

    let slow = || Reply::text(200, "text/plain", "late").after(Duration::from_secs(3));
    let metadata = Server::start([slow(), slow(), slow(), slow()]);
    let server = Server::start([]);
    run(&mut on_an_instance(&server, &metadata.url()))
        .ends_with(1)
        .says("there are no credentials of AWS here");
    assert_eq!(metadata.requests().len(), 1, "neither for the credentials nor again");
}

#[test]
fn a_single_sign_on_of_awss_tools_is_used_from_its_cache() {
    let start = "https://example.awsapps.com/start";
    let files = Files::new(&format!(
        "[default]\nregion = eu-north-1\nsso_start_url = {start}\nsso_region = eu-north-1\n\
         sso_account_id = 123456789012\nsso_role_name = Deploy\n"
    ));
    let name = hex::encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        start.as_bytes(),
    ));
    let token = json!({
        "accessToken": "canary-7c1e9a-sso", "expiresAt": END,
        "region": "eu-north-1", "startUrl": start,
    });
    files.write(&format!(".aws/sso/cache/{name}.json"), &token.to_string());
    let portal = Server::start([Reply::json(
        200,
        json!({ "roleCredentials": {
            "accessKeyId": KEY_ID, "secretAccessKey": SECRET,
            "sessionToken": SESSION, "expiration": 4_102_444_799_000_u64,
        } }),
    )]);
    let server = Server::start([granted()]);
    let mut command = files.aws(&server);
    command.env("AWS_ENDPOINT_URL_SSO", portal.url());
    check(&sign(&mut command, &server), &server, "eu-north-1", Some(SESSION));
    let target = "/federation/credentials?role_name=Deploy&account_id=123456789012";
    let request = portal.request();
    assert_eq!(request.target, target);
    assert_eq!(request.header("x-amz-sso_bearer_token"), Some("canary-7c1e9a-sso"));

    let ended = json!({ "message": "Session token not found or invalid" });
    let portal = Server::start([Reply::json(401, ended)]);
    command.env("AWS_ENDPOINT_URL_SSO", portal.url());
    let ran = run(&mut command).ends_with(1).says("could not get credentials of AWS");
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    assert_eq!(portal.requests().len(), 1, "a refusal is final");
}
