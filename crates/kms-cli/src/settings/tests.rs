use secrecy::ExposeSecret as _;

use super::*;
use crate::error::Kind;

fn resolve(global: &GlobalArgs, pairs: &[(&str, &str)]) -> Result<Settings, CliError> {
    let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let ui = Ui { silent: true, interactive: false };
    Settings::resolve(global, Env::Fixed(pairs.collect()), ui)
}

fn origin_of(global: &GlobalArgs, pairs: &[(&str, &str)]) -> String {
    resolve(global, pairs).unwrap().origin.value.to_string()
}

#[test]
fn without_a_domain_it_is_the_us_cloud() {
    assert_eq!(origin_of(&GlobalArgs::default(), &[]), "https://kms.hanzo.ai");
}

#[test]
fn flag_beats_domain_beats_api_url_and_ours_beats_theirs() {
    let all = [
        ("KMS_DOMAIN", "https://b.example"),
        ("INFISICAL_DOMAIN", "https://c.example"),
        ("KMS_API_URL", "https://d.example"),
        ("INFISICAL_API_URL", "https://e.example/api"),
    ];
    let flag =
        GlobalArgs { domain: Some("https://a.example/api/".into()), ..GlobalArgs::default() };
    assert_eq!(origin_of(&flag, &all), "https://a.example");
    for (skip, expected) in ["b", "c", "d", "e"].iter().enumerate() {
        assert_eq!(
            origin_of(&GlobalArgs::default(), &all[skip..]),
            format!("https://{expected}.example")
        );
    }
}

#[test]
fn an_invalid_domain_is_a_usage_error_that_names_where_it_came_from() {
    let error = resolve(&GlobalArgs::default(), &[("INFISICAL_API_URL", "nowhere")]).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(error.chain().next().unwrap().contains("INFISICAL_API_URL"));
}

#[test]
fn tokens_are_taken_in_order_and_trimmed() {
    let token = |global: &GlobalArgs, pairs: &[(&str, &str)]| {
        let token = resolve(global, pairs).unwrap().token;
        token.map(|token| token.value.expose_secret().to_owned())
    };
    let all = [
        ("KMS_TOKEN", " b\n"),
        ("INFISICAL_TOKEN", "c"),
        ("KMS_UNIVERSAL_AUTH_ACCESS_TOKEN", "d"),
        ("INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN", "e"),
        ("TOKEN", "never"),
    ];
    let flag = GlobalArgs { token: Some("a\n".into()), ..GlobalArgs::default() };
    assert_eq!(token(&flag, &all).as_deref(), Some("a"));
    for (skip, expected) in ["b", "c", "d", "e"].iter().enumerate() {
        let found = token(&GlobalArgs::default(), &all[skip..]);
        assert_eq!(found.as_deref(), Some(*expected));
    }
    assert_eq!(token(&GlobalArgs::default(), &all[4..]), None);
}

#[test]
fn without_a_token_the_error_names_flag_and_variables() {
    let settings = resolve(&GlobalArgs::default(), &[]).unwrap();
    let error = settings.client().unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
    for name in ["--token", "KMS_TOKEN", "INFISICAL_TOKEN"] {
        assert!(error.hints.iter().any(|hint| hint.contains(name)), "{name}");
    }
}
