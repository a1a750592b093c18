//! AWS as `moto` makes it, told to verify signatures as AWS does: users, roles and STS.

use std::fs;

use serde_json::json;

use crate::{aws::aws, peer::Program, place::Place};

const LOGIN: &str = "login-identity-aws-auth";
const REFUSED: &str = "login-identity-aws-auth-failed";

#[test]
fn a_user_and_a_role_of_moto_log_in() {
    let moto = Program::start(&["python3", "aws.py"]);
    let place = Place::start(&[&format!("--aws-sts-url={}", moto.text("/url"))]);
    let user = json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:user/deploy" });
    let user = place.machine_with("aws-auth", &user);
    let with_key = |secret: &str| {
        let mut login = aws(&place, &user);
        login.env("AWS_ACCESS_KEY_ID", moto.text("/accessKeyId"));
        login.env("AWS_SECRET_ACCESS_KEY", secret);
        login
    };
    let secret = moto.text("/secretAccessKey");
    let said = place.admits(&mut with_key(secret), LOGIN);
    assert_eq!(said["arn"], "arn:aws:iam::123456789012:user/deploy");
    let wrong = format!("{}x", &secret[..secret.len() - 1]);
    let reason = "STS does not believe the signature";
    place.refuses(&mut with_key(&wrong), "Invalid credentials", REFUSED, reason);

    // The client takes the role on at the same STS before it signs.
    let role = json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:role/web" });
    let role = place.machine_with("aws-auth", &role);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text = format!(
        "[profile web]\nregion = eu-west-3\nrole_arn = {}\nsource_profile = user\n\
         role_session_name = job\n[profile user]\naws_access_key_id = {}\n\
         aws_secret_access_key = {secret}\n",
        moto.text("/roleArn"),
        moto.text("/accessKeyId"),
    );
    fs::write(&config, text).unwrap();
    let mut login = aws(&place, &role);
    login.env("AWS_CONFIG_FILE", config).env("AWS_PROFILE", "web");
    let said = place.admits(login.env("AWS_ENDPOINT_URL_STS", moto.text("/url")), LOGIN);
    assert_eq!(said["arn"], "arn:aws:sts::123456789012:assumed-role/web/job");
}
