//! The guides to logging in without a secret, as they stand in the book: each command that is not of a
//! vendor's own tool is run, from nothing to a program that has its secrets. Who vouches is a stand-in
//! on this machine, at the addresses of the vendors.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    house::House,
    issuer::{Issuer, Signer},
};

/// The tools of vendors, which are not run.
const VENDORS: [&str; 4] = ["kubectl ", "az ", "gcloud ", "aws "];

/// The blocks of a guide in one language.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let mut blocks = Vec::new();
    let mut rest = guide;
    while let Some((_, after)) = rest.split_once(&fence) {
        let (block, after) = after.split_once("```").expect("a block ends");
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

/// The commands of a guide that are not a vendor's, and how many of its blocks are.
fn script(guide: &str, method: &str) -> (String, usize) {
    let mut script = "ADMINISTRATOR=$INFISICAL_TOKEN\n".to_owned();
    let mut left_out = 0;
    for block in blocks(guide, "sh") {
        if block.lines().any(|line| VENDORS.iter().any(|tool| line.starts_with(tool))) {
            left_out += 1;
            continue;
        }
        // Who runs it, and for the second way of attaching that the first is undone.
        script.push_str(if block.contains("kms login") {
            "unset INFISICAL_TOKEN\n"
        } else {
            "export INFISICAL_TOKEN=$ADMINISTRATOR\n"
        });
        if block.contains("curl ") {
            let detach = format!("kms identities {method} detach \"$IDENTITY\" --yes > detached\n");
            script.push_str(&detach);
        }
        script.push_str(&block);
    }
    (script, left_out)
}

/// What surrounds a guide: the house, a project with a secret, and a program to deploy.
struct Scene {
    house: House,
    guide: &'static str,
    method: &'static str,
    /// Text of the guide, and what stands for it here.
    here: Vec<(&'static str, String)>,
}

impl Scene {
    fn new(guide: &'static str, method: &'static str, server: &[&str]) -> Self {
        let house = House::build(server);
        house.says(&format!(
            "kms secrets set --projectId={} --env=dev GREETING=hello --silent > kept
             printf '#!/bin/sh\\necho \"deployed with $GREETING\"\\n' > deploy
             chmod +x deploy",
            house.project
        ));
        let here = vec![("https://kms.example.com", house.url.clone())];
        Self { house, guide, method, here }
    }

    fn standing_for(mut self, text: &'static str, here: impl Into<String>) -> Self {
        assert!(self.guide.contains(text), "{text}");
        self.here.push((text, here.into()));
        self
    }

    fn placed(&self, script: &str) -> String {
        let texts = self.here.iter();
        let placed =
            texts.fold(script.to_owned(), |script, (text, here)| script.replace(text, here));
        format!("PROJECT={}\n{placed}", self.house.project)
    }

    /// Runs the guide in an environment, and asserts that its program was started `deploys` times
    /// and that `vendors` blocks were left out. Returns what it printed.
    #[track_caller]
    fn plays(&self, environment: &str, vendors: usize, deploys: usize) -> String {
        let (script, left_out) = script(self.guide, self.method);
        assert_eq!(left_out, vendors);
        let said = self.house.says(&format!("{environment}\n{}", self.placed(&script)));
        assert_eq!(said.matches("deployed with hello").count(), deploys, "{said}");
        let logged_in = format!("login-identity-{} ", self.method);
        assert!(said.matches(&logged_in).count() >= deploys, "{said}");
        // The answer to the request by hand: what the command before it had attached.
        let by_hand = &said[said.find("{\"identity").expect("the answer of curl")..];
        let mut by_hand = serde_json::Deserializer::from_str(by_hand).into_iter::<Value>();
        let by_hand = by_hand.next().unwrap().unwrap();
        let by_hand = by_hand.as_object().unwrap().values().next().unwrap();
        assert_eq!(by_hand["accessTokenTTL"], 3_600, "{by_hand}");
        said
    }
}

#[test]
fn the_kubernetes_guide_ends_in_a_login() {
    const POD: &str = "a.pods.token";
    const REVIEWER: &str = "a.reviewers.token";
    let cluster = Issuer::start(|request, _| {
        let asked: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let known = request.target == "/apis/authentication.k8s.io/v1/tokenreviews"
            && request.header("authorization") == format!("Bearer {REVIEWER}")
            && asked["spec"] == json!({ "token": POD, "audiences": ["kms"] });
        let status = if known {
            json!({
                "authenticated": true, "audiences": ["kms"],
                "user": { "username": "system:serviceaccount:shop:deploy" },
            })
        } else {
            json!({ "authenticated": false })
        };
        let version = "authentication.k8s.io/v1";
        let review = json!({ "kind": "TokenReview", "apiVersion": version, "status": status });
        Some(review.to_string())
    });
    let guide = include_str!("../../../docs/src/machines/kubernetes.md");
    let scene =
        Scene::new(guide, "kubernetes-auth", &[]).standing_for("https://10.96.0.1", cluster.url());
    scene.house.write("reviewer-token", format!("{REVIEWER}\n"));
    let ca = rcgen::generate_simple_self_signed(["cluster.example.com".to_owned()]).unwrap();
    scene.house.write("cluster-ca.pem", ca.cert.pem());
    let token = scene.house.write("token", format!("{POD}\n"));
    let path = format!("export INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH={token}");
    let said = scene.plays(&path, 1, 1);
    assert!(said.contains("│ kubernetes host "), "{said}");
}

#[test]
fn the_azure_guide_ends_in_a_login() {
    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    let azure = Issuer::start(|request, azure| {
        if request.target.starts_with("/metadata/identity/oauth2/token?") {
            let token = azure.signer().sign(json!({
                "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT, "ver": "1.0",
                "aud": request.parameter("resource"),
                "oid": "66666666-7777-8888-9999-000000000000",
            }));
            return Some(json!({ "access_token": token }).to_string());
        }
        let keys = format!("/{TENANT}/discovery/keys");
        (request.target == keys).then(|| azure.signer().jwks().to_string())
    });
    let guide = include_str!("../../../docs/src/machines/azure.md");
    let scene = Scene::new(guide, "azure-auth", &["--azure-authority-url", &azure.url()]);
    let host = format!("export AZURE_POD_IDENTITY_AUTHORITY_HOST={}", azure.url());
    scene.plays(&host, 2, 1);
}

#[test]
fn the_gcp_guide_ends_in_two_logins() {
    const ACCOUNT: &str = "deploy@my-project.iam.gserviceaccount.com";
    let google = Issuer::start(|request, google| {
        let path = request.target.split('?').next().unwrap();
        match path {
            "/computeMetadata/v1/instance/service-accounts/default/identity" => {
                Some(google.signer().sign(json!({
                    "iss": "https://accounts.google.com", "aud": request.parameter("audience"),
                    "email": ACCOUNT, "email_verified": true,
                    "google": { "compute_engine": {
                        "project_id": "my-project", "zone": "europe-west1-b",
                    } },
                })))
            }
            "/certs" => Some(google.signer().jwks().to_string()),
            "/x509/deploy%40my-project.iam.gserviceaccount.com" => {
                Some(json!({ (Signer::KID): google.signer().certificate() }).to_string())
            }
            _ => None,
        }
    });
    let (keys, certificates) =
        (format!("{}/certs", google.url()), format!("{}/x509", google.url()));
    let server = ["--google-keys-url", &keys, "--google-certificates-url", &certificates];
    let guide = include_str!("../../../docs/src/machines/gcp.md");
    let scene = Scene::new(guide, "gcp-auth", &server);
    let key = json!({
        "type": "service_account", "project_id": "my-project", "private_key_id": Signer::KID,
        "private_key": google.signer().private_pem(), "client_email": ACCOUNT,
        "client_id": "1234567890", "token_uri": "https://oauth2.googleapis.com/token",
    });
    scene.house.write("key.json", key.to_string());
    scene.plays(&format!("export GCE_METADATA_HOST={}", google.authority()), 2, 2);
}

#[test]
fn the_aws_guide_ends_in_a_login() {
    let sts = Issuer::start(|request, _| {
        assert_eq!(request.header("host"), "sts.eu-central-1.amazonaws.com");
        let result = json!({ "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": {
                "Account": "123456789012", "UserId": "AROA123EXAMPLE123:i-0123",
                "Arn": "arn:aws:sts::123456789012:assumed-role/deploy/i-0123",
            },
            "ResponseMetadata": { "RequestId": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d" },
        } });
        (request.target == "/").then(|| result.to_string())
    });
    let guide = include_str!("../../../docs/src/machines/aws.md");
    let scene = Scene::new(guide, "aws-auth", &["--aws-sts-url", &sts.url()]);
    let credentials = "export AWS_ACCESS_KEY_ID=AKIDEXAMPLEEXAMPLE AWS_REGION=eu-central-1 \
         AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    scene.plays(credentials, 1, 1);
    // What the page about all methods says to look at.
    let about_all = blocks(include_str!("../../../docs/src/machines.md"), "sh");
    let audit = about_all.iter().find(|block| block.starts_with("kms audit")).unwrap();
    let records: Value = serde_json::from_str(&scene.house.says(audit)).unwrap();
    let arn = "arn:aws:sts::123456789012:assumed-role/deploy/i-0123";
    assert_eq!(records[0]["event"]["metadata"]["arn"], arn, "{records}");
}

/// A job that GitHub's provider signs for, with these audiences.
fn job(issuer: &Issuer, audience: &str) -> String {
    issuer.signer().sign(json!({
        "iss": issuer.url(), "sub": "repo:example/shop:ref:refs/heads/main", "aud": audience,
        "repository": "example/shop", "workflow": "Release",
    }))
}

fn github(request: &crate::issuer::Request, github: &Issuer) -> Option<String> {
    match request.target.split('?').next().unwrap() {
        "/.well-known/openid-configuration" => {
            let keys = format!("{}/keys", github.url());
            Some(json!({ "issuer": github.url(), "jwks_uri": keys }).to_string())
        }
        "/keys" => Some(github.signer().jwks().to_string()),
        "/token" => {
            assert_eq!(request.header("authorization"), "Bearer of-the-runner");
            let token = job(github, &request.parameter("audience"));
            Some(json!({ "value": token }).to_string())
        }
        _ => None,
    }
}

#[test]
fn the_oidc_guide_ends_in_a_login_by_file_in_github_actions_and_in_gitlab() {
    let provider = Issuer::start(github);
    let guide = include_str!("../../../docs/src/machines/oidc.md");
    let scene = Scene::new(guide, "oidc-auth", &[])
        .standing_for("https://token.actions.githubusercontent.com", provider.url());
    scene.house.write("id-token", job(&provider, &scene.house.url));
    let said = scene.plays("", 0, 1);
    assert!(said.contains("\"sub\":\"repo:example/shop:ref:refs/heads/main\""), "{said}");

    // The identity that the guide made, in the jobs that it shows.
    let identities = scene.house.json(&["identities", "list", "--search", "shop-deploy"]);
    let identity = identities[0]["identity"]["id"].as_str().unwrap();
    let jobs = blocks(guide, "yaml");
    let [actions, gitlab] = &jobs[..] else { panic!("two jobs, not {}", jobs.len()) };
    let steps = actions.split_once("run: |\n").unwrap().1.to_owned();
    let environment = format!(
        "unset INFISICAL_TOKEN
         export INFISICAL_MACHINE_IDENTITY_ID={identity} KMS_OIDC_AUDIENCE={}
         export ACTIONS_ID_TOKEN_REQUEST_URL='{}/token?api-version=2.0'
         export ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-runner",
        scene.house.url,
        provider.url()
    );
    let said = scene.house.says(&format!("{environment}\n{}", scene.placed(&steps)));
    assert!(said.contains("::add-mask::ey") && said.contains("deployed with hello"), "{said}");

    let steps = gitlab.split_once("script:\n").unwrap().1.lines();
    let steps: Vec<_> = steps.map(|line| line.trim_start().strip_prefix("- ").unwrap()).collect();
    let environment = format!(
        "unset INFISICAL_TOKEN
         export INFISICAL_MACHINE_IDENTITY_ID={identity} INFISICAL_JWT={}",
        job(&provider, &scene.house.url)
    );
    let gitlab = format!("{environment}\n{}", scene.placed(&steps.join("\n")));
    assert_eq!(scene.house.says(&gitlab), "deployed with hello\n");

    // The patterns that the guide speaks of: one star stops at a slash, two do not.
    let bind = |subject: &str| {
        assert!(guide.contains(&format!("`{subject}`")));
        let bound = format!("--bound-subject={subject}");
        scene.house.kms(&["identities", "oidc-auth", "update", identity, &bound]).ends_with(0);
        scene.house.shell(&gitlab)
    };
    bind("repo:example/shop:ref:refs/heads/**").ends_with(0);
    // The shell goes on without a token, and `kms run` ends with its own status.
    bind("repo:example/shop:*").ends_with(125).complains("OIDC subject not allowed.");
}

#[test]
fn the_jwt_guide_makes_a_key_and_a_token_and_ends_in_a_login() {
    let guide = include_str!("../../../docs/src/machines/jwt.md");
    let scene = Scene::new(guide, "jwt-auth", &[]);
    let said = scene.plays("", 0, 1);
    assert!(said.contains("│ bound subject "), "{said}");
}

/// All source of the crates that a message of a login can come from, on one line per text.
fn source() -> String {
    fn collect(folder: &Path, heap: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, heap);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                heap.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut heap = String::new();
    for room in ["kms-auth", "kms-core", "kms-client", "kms-cli"] {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        collect(&crates.join(room).join("src"), &mut heap);
    }
    let mut lines = heap.split("\\\n");
    let first = lines.next().unwrap().to_owned();
    lines.fold(first, |whole, line| whole + line.trim_start())
}

#[test]
fn the_messages_that_the_guides_explain_are_ours() {
    let source = source();
    let mut explained = 0;
    for name in ["kubernetes", "azure", "gcp", "aws", "oidc", "jwt"] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/src/machines/{name}.md"));
        let guide = fs::read_to_string(path).unwrap();
        let table = guide.split_once("## When it fails").unwrap().1;
        let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
        let messages = rows.map(|row| row.split(" | ").next().unwrap());
        for message in messages.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            // What stands for something else, and Azure's own words.
            let parts = message.split(['…', '\'', '[']).map(str::trim);
            let parts = parts.filter(|part| part.len() > 3 && !part.starts_with("status 400"));
            for part in parts {
                explained += 1;
                // Written in two places: that it could not be got, and what.
                let part = part.strip_prefix("could not get ").unwrap_or(part);
                assert!(source.contains(part), "{name}: {part}");
            }
        }
    }
    assert!(explained > 50, "{explained}");
}
