//! Which server a person logs in to.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::json;

use crate::{
    support::{
        CANARY, Home, Reply, Server, kms,
        people::{EMAIL, ORGANIZATION, PASSWORD, direct, token},
        run,
    },
    terminal::{ENTER, Terminal},
};

/// A direct login without a word about the server.
fn login(home: &Home) -> Command {
    let mut command = kms();
    command
        .args(["login", "--plain", "--email", EMAIL, "--organization-id", ORGANIZATION])
        .env("INFISICAL_PASSWORD", PASSWORD)
        .envs(home.environment());
    command
}

/// A folder with a project file that names a server.
fn repository(domain: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = json!({ "workspaceId": "p", "domain": domain });
    fs::write(folder.path().join(".infisical.json"), file.to_string()).unwrap();
    folder
}

#[test]
fn every_spelling_of_a_server_is_one_server() {
    let home = Home::new();
    for end in ["", "/", "/api", "/api/"] {
        let server = Server::start(direct());
        let url = format!("{}{end}", server.url());
        let ran = run(login(&home).args(["--silent", "--domain", &url])).ends_with(0);
        assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
        assert_eq!(server.requests()[0].target, "/api/v3/auth/login", "{end}");
    }
}

#[test]
fn flag_and_variables_name_the_server_and_the_flag_wins() {
    let home = Home::new();
    for variable in ["KMS_DOMAIN", "INFISICAL_DOMAIN", "KMS_API_URL", "INFISICAL_API_URL"] {
        let server = Server::start(direct());
        run(login(&home).env(variable, format!("{}/api", server.url()))).ends_with(0);
        assert_eq!(server.requests().len(), 3, "{variable}");
    }
    let (server, other) = (Server::start(direct()), Server::start([]));
    run(login(&home)
        .args(["--domain", &server.url()])
        .env("KMS_DOMAIN", other.url())
        .env("INFISICAL_API_URL", other.url()))
    .ends_with(0);
    assert!(other.requests().is_empty());
}

#[test]
fn without_a_domain_it_is_the_us_cloud() {
    // The proxy stands for the way to the hosted service; it answers nothing.
    let home = Home::new();
    let proxy = Server::start([]);
    run(login(&home).env("https_proxy", proxy.url())).ends_with(5).says("`https://kms.hanzo.ai`");
    let requests = proxy.requests();
    assert_eq!(requests[0].method, "CONNECT");
    assert_eq!(requests[0].target, "kms.hanzo.ai:443");
    run(login(&home).args(["--domain=https://eu.kms.hanzo.ai"]).env("https_proxy", proxy.url()))
        .ends_with(5);
    assert_eq!(proxy.requests().last().unwrap().target, "eu.kms.hanzo.ai:443");
}

#[test]
fn l8_a_project_file_of_a_stranger_gets_no_password() {
    let home = Home::new();
    let hostile = Server::start([]);
    let repository = repository(&hostile.url());
    let ran = run(login(&home).current_dir(repository.path())).ends_with(4);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(CANARY));
    ran.says(".infisical.json")
        .says("was not logged in to from here before")
        .says(&format!("if it is yours, pass `--domain {}`", hostile.url()))
        .says("--domain https://kms.hanzo.ai");
    assert!(hostile.requests().is_empty());
}

#[test]
fn l8_a_project_file_may_name_a_server_that_is_known() {
    let home = Home::new();
    let server = Server::start([direct(), direct()].concat());
    let repository = repository(&format!("{}/api", server.url()));
    run(login(&home).args(["--domain", &server.url()])).ends_with(0);
    run(login(&home).current_dir(repository.path()))
        .ends_with(0)
        .says(&format!("logging in to `{}`, which `", server.url()));
    assert_eq!(server.requests().len(), 6);

    run(kms().args(["login", "--clear-domains"]).envs(home.environment()))
        .ends_with(0)
        .says("forgotten");
    assert_eq!(home.config()["domains"], json!([]));
    run(login(&home).current_dir(repository.path())).ends_with(4);
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn l8_a_person_may_agree_to_the_server_of_a_project_file() {
    let home = Home::new();
    let server = Server::start(direct());
    let repository = repository(&server.url());
    for (answer, code) in [("n", 4), ("y", 0)] {
        let mut environment = home.environment().to_vec();
        environment.push(("INFISICAL_PASSWORD", PASSWORD));
        let args = ["login", "--plain", "--email", EMAIL, "--organization-id", ORGANIZATION];
        let mut terminal = Terminal::start_in(repository.path(), &args, &environment);
        terminal.expect(&format!("names the server `{}`, which is new here", server.url()));
        assert!(server.requests().is_empty());
        terminal.send(answer).send(ENTER);
        terminal.finish().with(code);
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn clearing_the_servers_does_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(kms()
        .args(["login", "--clear-domains"])
        .env("KMS_CONFIG_DIR", folder.path().join("new")))
    .ends_with(0);
    assert_eq!(ran.stdout, "");
    assert!(!Path::new(&folder.path().join("new")).exists(), "nothing is made to forget nothing");
}

#[test]
fn l9_a_password_follows_no_redirect_and_no_unencrypted_way() {
    let home = Home::new();
    let elsewhere = Server::start([]);
    for status in [301, 302, 307, 308] {
        let moved = Reply::text(status, "text/html", "")
            .with("location", &format!("{}/api/v3/auth/login", elsewhere.url()));
        let server = Server::start([moved]);
        run(login(&home).args(["--domain", &server.url()]))
            .ends_with(1)
            .says("redirects to")
            .says(&format!("use `--domain {}`", elsewhere.url()));
    }
    run(login(&home).args(["--domain=http://kms.example"]))
        .ends_with(2)
        .says("without encryption")
        .says("--domain https://kms.example");
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_server_that_is_not_there_or_no_kms_is_told_apart() {
    let home = Home::new();
    run(login(&home).args(["--domain=http://localhost:1"]))
        .ends_with(5)
        .says("could not reach `http://localhost:1`")
        .says("nothing listens there");
    run(login(&home).args(["--domain=https://kms.invalid"]))
        .ends_with(5)
        .says("could not reach `https://kms.invalid`")
        .says("`kms.invalid` is not a known name");
    let page = Server::start([Reply::text(200, "text/html", "<html>")]);
    run(login(&home).args(["--domain", &page.url()]))
        .ends_with(1)
        .says("does not answer like a KMS")
        .says("check `--domain`");
    run(login(&home).args(["--domain=nowhere"])).ends_with(2).says("`--domain`");
}
