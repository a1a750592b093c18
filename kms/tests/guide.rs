//! The guide "Create a universal auth machine identity", the quick start of the login page and what
//! the README shows of people, on a real server: the commands as they stand there, read by a shell.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

const KMS: &str = env!("CARGO_BIN_EXE_kms");

/// A server of its own, set up, in a directory that goes away with it.
struct House {
    directory: tempfile::TempDir,
    server: Child,
    url: String,
}

impl House {
    fn build() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut server = clean(directory.path(), KMS)
            .args(["server", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path().join("data"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the server becomes ready").unwrap();
            if let Some(url) = line.strip_prefix("kms server: ready at ") {
                break url.to_owned();
            }
        };
        // Whoever stops reading stops the server from writing.
        std::thread::spawn(move || lines.for_each(drop));
        Self { directory, server, url }
    }

    /// Runs a script with `kms` in its path, as somebody would type it.
    fn shell(&self, script: &str) -> Output {
        let mut command = clean(self.directory.path(), "sh");
        command.args(["-euc", script]).env("INFISICAL_API_URL", &self.url);
        command.current_dir(self.directory.path()).output().unwrap()
    }

    fn says(&self, script: &str) -> String {
        let output = self.shell(script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A program that inherits nothing of whoever runs the tests but the way to `kms`.
fn clean(home: &Path, program: &str) -> Command {
    let folder = Path::new(KMS).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).env("HOME", home).stdin(Stdio::null());
    command
}

/// The first five steps of the guide; what they leave is in files.
const GUIDE: &str = r#"
printf %s 'correct horse battery staple' | kms bootstrap --email admin@example.com \
    --organization Example --password-stdin --silent > admin.json
export INFISICAL_TOKEN=$(jq -r .identity.credentials.token admin.json)
PROJECT=$(kms projects create "Web shop" --output json | jq -r .id)
kms projects get "$PROJECT"
IDENTITY=$(kms identities create deploy-bot --output json | jq -r .id)
kms identities memberships add "$IDENTITY" --projectId "$PROJECT" --role member
CLIENT_ID=$(kms identities universal-auth attach "$IDENTITY" \
    --access-token-ttl 3600 --access-token-max-ttl 86400 --output json | jq -r .clientId)
kms identities client-secrets create "$IDENTITY" --description "CI of the web shop" \
    --ttl 7776000 --plain > client-secret
echo "PROJECT=$PROJECT IDENTITY=$IDENTITY CLIENT_ID=$CLIENT_ID" > ids
"#;

/// The quick start of the login page.
const LOGIN: &str = r#"
. ./ids
export INFISICAL_TOKEN=$(kms login --method=universal-auth --client-id="$CLIENT_ID" \
    --client-secret="$(cat client-secret)" --silent --plain)
"#;

fn after_login(script: &str) -> String {
    format!("{LOGIN}\n{script}")
}

#[test]
fn the_guide_makes_an_identity_that_logs_in_and_uses_secrets() {
    let house = House::build();
    house.says(GUIDE);
    house.says(&after_login(
        "kms secrets set --projectId=$PROJECT GREETING=hello DATABASE_URL=postgres://demo",
    ));
    let ran = house.says(&after_login(
        "kms run --projectId=$PROJECT --env=dev -- sh -c 'echo \"$GREETING from $DATABASE_URL\"'",
    ));
    assert_eq!(ran, "hello from postgres://demo\n");
    let exported = house.says(&after_login("kms export --projectId=$PROJECT --env=dev"));
    assert_eq!(exported, "DATABASE_URL='postgres://demo'\nGREETING='hello'\n");
    let log = house.says(
        "export INFISICAL_TOKEN=$(jq -r .identity.credentials.token admin.json)
         kms audit --event-type login-identity-universal-auth,login-identity-universal-auth-failed",
    );
    assert_eq!(log.matches("login-identity-universal-auth").count(), 3, "{log}");
}

#[test]
fn secrets_get_tags_and_comments_and_environments_are_compared() {
    let house = House::build();
    house.says(GUIDE);
    let set = |args: &str| {
        house.says(&after_login(&format!(
            "export KMS_PROJECT_ID=$PROJECT; kms secrets set {args} --output json | \
             jq -r '.[].operation'"
        )))
    };
    assert_eq!(set("PORT=80 HOST=a"), "SECRET CREATED\nSECRET CREATED\n");
    assert_eq!(set("PORT=80 HOST=b --env prod"), "SECRET CREATED\nSECRET CREATED\n");
    assert_eq!(set("PORT=80 --tag web --tag http"), "SECRET TAGS MODIFIED\n");
    assert_eq!(set("PORT=80 --tag http --tag web"), "SECRET VALUE UNCHANGED\n");
    assert_eq!(set("PORT=80 --comment 'DEFAULT: 8080'"), "SECRET COMMENT MODIFIED\n");
    let example = house.says(&after_login(
        "kms secrets generate-example-env --projectId=$PROJECT | grep -v '^# \\*'",
    ));
    assert_eq!(example, "# - HTTP & WEB\n\nHOST=\n\nPORT=8080\n");
    let difference = "kms secrets diff dev prod --projectId=$PROJECT --output json";
    let ran = house.shell(&after_login(&format!("{difference} || exit $?")));
    assert_eq!(ran.status.code(), Some(1));
    let rows = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(rows, "[{\"secretKey\":\"HOST\",\"status\":\"different\"}]\n");
    house.says(&after_login(
        "printf 'a\\n' | kms secrets set HOST - --env prod --projectId=$PROJECT
         kms secrets diff dev prod --projectId=$PROJECT",
    ));
}

#[test]
fn secrets_are_copied_renamed_imported_and_read_as_they_were() {
    let house = House::build();
    house.says(GUIDE);
    let says = |script: &str| {
        house.says(&after_login(&format!("export KMS_PROJECT_ID=$PROJECT\n{script}")))
    };
    says("kms secrets set HOST=a 'URL=http://${HOST}'");
    let now = says("kms secrets history URL --output json | jq -r '.[0].changedAt'");
    assert_eq!(
        says("kms secrets rename HOST SERVER --output json"),
        "[{\"secretKey\":\"SERVER\",\"secretPath\":\"/\"}]\n"
    );
    assert_eq!(says("kms secrets --plain --expand=false"), "SERVER=a\nURL=http://${SERVER}\n");
    let then = says(&format!("kms secrets --plain --at {now}"));
    assert_eq!(then, "HOST=a\nURL=http://${HOST}\n");
    assert_eq!(
        says("kms secrets duplicate SERVER --to-env prod --output json"),
        "[{\"secretKey\":\"SERVER\",\"secretPath\":\"/\"}]\n"
    );
    let again = "export KMS_PROJECT_ID=$PROJECT; kms secrets duplicate --all --to-env prod";
    let ran = house.shell(&after_login(again));
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("--overwrite"));
    says("kms secrets duplicate --all --to-env prod --overwrite");
    assert_eq!(says("kms secrets get URL --env prod --plain"), "http://a\n");
    says("kms secrets imports add prod --env staging; kms secrets imports add dev --env staging");
    let order = "kms secrets imports list --env staging --output json | jq -r '.[].environment'";
    assert_eq!(says(order), "prod\ndev\n");
    says("kms secrets imports move dev --position 1 --env staging");
    assert_eq!(says(order), "dev\nprod\n");
    assert_eq!(says("kms secrets get SERVER --env staging --plain"), "a\n");
    says("kms secrets imports remove dev --env staging");
    assert_eq!(says(order), "prod\n");
    let ran = house.shell(&after_login(
        "KMS_PROJECT_ID=$PROJECT kms secrets imports remove dev --env staging",
    ));
    assert_eq!(ran.status.code(), Some(1));
}

#[test]
fn a_login_acts_in_the_organization_in_which_the_identity_was_created() {
    let house = House::build();
    house.says(GUIDE);
    let claims = house.says(&after_login(
        "echo $INFISICAL_TOKEN | cut -d. -f2 | tr _- /+ | sed 's/$/===/' | base64 -di 2>/dev/null || true",
    ));
    let organization = house.says("jq -r .organization.id admin.json");
    assert!(claims.contains(&format!("\"orgId\":\"{}\"", organization.trim())), "{claims}");
}

#[test]
fn the_token_works_by_variable_and_by_flag_and_not_at_all_without() {
    let house = House::build();
    house.says(GUIDE);
    house.says(&after_login("kms secrets set --projectId=$PROJECT A=one"));
    let by_variable = house.says(&after_login("kms secrets --projectId=$PROJECT --plain"));
    let by_flag = house.says(&after_login(
        "token=$INFISICAL_TOKEN; unset INFISICAL_TOKEN
         kms secrets --token=$token --projectId=$PROJECT --plain",
    ));
    assert_eq!((by_variable.as_str(), by_flag.as_str()), ("A=one\n", "A=one\n"));
    let without =
        house.shell(&after_login("unset INFISICAL_TOKEN; kms secrets --projectId=$PROJECT"));
    assert_eq!(without.status.code(), Some(3));
}

#[test]
fn recursive_reads_all_subfolders_and_the_environment_is_dev_unless_named() {
    let house = House::build();
    house.says(GUIDE);
    house.says(&after_login(
        "kms secrets set --projectId=$PROJECT --env=dev ROOT=1
         kms secrets folders create --projectId=$PROJECT --env=dev --name db
         kms secrets set --projectId=$PROJECT --env=dev --path=/db BELOW=2
         kms secrets set --projectId=$PROJECT --env=prod ELSEWHERE=3",
    ));
    for (command, names) in [
        ("kms secrets --projectId=$PROJECT --env=dev --recursive --plain", "BELOW=2\nROOT=1\n"),
        ("kms secrets --projectId=$PROJECT --recursive --plain", "BELOW=2\nROOT=1\n"),
        ("kms secrets --projectId=$PROJECT --plain", "ROOT=1\n"),
        ("kms secrets --projectId=$PROJECT --env=prod --recursive --plain", "ELSEWHERE=3\n"),
    ] {
        assert_eq!(house.says(&after_login(command)), names, "{command}");
    }
}

/// A person's login, as the login page shows it.
const PERSON: &str = r#"
export INFISICAL_EMAIL="admin@example.com"
export INFISICAL_PASSWORD="correct horse battery staple"
export INFISICAL_ORGANIZATION_ID=$(jq -r .organization.id admin.json)
export KMS_VAULT_FILE_PASSPHRASE="a passphrase of tests"
"#;

#[test]
fn a_person_logs_in_and_needs_no_token() {
    let house = House::build();
    house.says(GUIDE);
    let kept = "kms vault set file --silent\nkms login --silent\n\
                kms projects create Mine > created\n\
                kms projects list --output json | jq -r '.[].name'";
    assert_eq!(house.says(&format!("{PERSON}\n{kept}")), "Mine\n");
    let printed = "export INFISICAL_TOKEN=$(kms login --plain --silent)\n\
                   test -n \"$INFISICAL_TOKEN\"\n\
                   KMS_CONFIG_DIR=/nowhere kms projects list --output json | jq -r '.[].name'";
    assert_eq!(house.says(&format!("{PERSON}\n{printed}")), "Mine\n");
}

/// The first block of commands below a heading of the README.
fn readme(heading: &str) -> &'static str {
    let text = include_str!("../../README.md");
    let section = text.split_once(&format!("\n## {heading}\n")).expect("the heading").1;
    let block = section.split_once("```sh\n").expect("a block").1;
    block.split_once("```").expect("its end").0
}

#[test]
fn the_readme_takes_two_people_from_invitation_to_logout() {
    let house = House::build();
    house.says(GUIDE);
    // Typed where the README's reader is asked for it.
    let passphrase = "export KMS_VAULT_FILE_PASSPHRASE='a passphrase of tests'\n";
    let said = house.says(&format!("{passphrase}{}", readme("As a person")));
    let (table, rest) = said.split_once("Name: admin@example.com").expect("whoami, after switch");
    assert!(table.contains("grace@example.com/example"), "{table}");
    let grace = rest.lines().find(|line| line.contains("grace@example.com") && line.contains('│'));
    assert!(grace.is_some_and(|line| line.contains("accepted")), "{rest}");
    let after = house.shell("kms projects list");
    assert_eq!(after.status.code(), Some(3), "everybody is logged out");
}

#[test]
fn a_person_with_a_wrong_password_is_told_which_server_was_asked() {
    let house = House::build();
    house.says(GUIDE);
    let output = house.shell(&format!("{PERSON}\nKMS_PASSWORD=wrong kms login --plain"));
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&format!("were sent to `{}`", house.url)), "{stderr}");
}
