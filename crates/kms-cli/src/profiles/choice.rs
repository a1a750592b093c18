//! Which of the remembered logins a command uses.
//!
//! A name decides: the flag's, else the variable's, else the project file's. Else a server does:
//! that of the flag or the environment, else that of the project file, which can thus choose among
//! servers that are known here and not bring in another (L8). Of several logins, the organization
//! that the project file names chooses. Else it is the current login.

use std::path::PathBuf;

use kms_api::OrganizationId;
use kms_client::Origin;

use super::{Config, Profile};
use crate::{error::CliError, project_file::ProjectFile, selection::shell_word};

/// What a command line, its environment and its folder say about it.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// A name, and the flag or variable that gave it.
    pub(crate) name: Option<(&'a str, &'a str)>,
    /// A server that a flag or a variable names.
    pub(crate) origin: Option<&'a Origin>,
    /// The project file.
    pub(crate) file: Option<&'a ProjectFile>,
}

/// A login, and what chose it.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) profile: Profile,
    pub(crate) by: By,
}

/// What chose a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A flag or a variable with its name.
    Name(String),
    /// The server that a flag or a variable names.
    Server,
    /// A project file.
    File(PathBuf),
    /// The user, by logging in or by `kms user switch`.
    Current,
    /// There is no other.
    Only,
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(by) => write!(f, "`{by}` names it"),
            Self::Server => f.write_str("it is of the server that was named"),
            Self::File(path) => write!(f, "`{}` chooses it", path.display()),
            Self::Current => f.write_str("it is the current one"),
            Self::Only => f.write_str("there is no other"),
        }
    }
}

/// Why none can be chosen although one is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No login has this name.
    Unknown { name: String, by: String },
    /// The login is of another server than the one that was named.
    OtherServer { name: String, its: String, named: String },
    /// A project file names a server that nobody is logged in to.
    NewServer { file: PathBuf, domain: String },
    /// A project file names an organization that no login here acts in.
    OtherOrganization { file: PathBuf, organization: OrganizationId, server: Option<String> },
    /// Several logins would do.
    Several { names: Vec<String> },
    /// `config.json` can't be used.
    Unreadable { reason: String },
}

impl Refusal {
    pub(crate) fn error(&self) -> CliError {
        match self {
            Self::Unknown { name, by } => {
                CliError::usage(format!("there is no login `{name}` here, which {by} names"))
                    .hint("`kms user` lists the logins, `kms login` adds one")
            }
            Self::OtherServer { name, its, named } => CliError::usage(format!(
                "the login `{name}` is for `{its}`, and its tokens are not sent to `{named}`"
            ))
            .hint(format!("log in there: `kms login --domain {named}`")),
            Self::NewServer { file, domain } => CliError::denied(format!(
                "`{}` names the server `{domain}`, which nobody is logged in to here, so nothing \
                 is sent to it",
                file.display()
            ))
            .hint(format!("if you trust it: `kms login --domain {}`", shell_word(domain)))
            .hint("to use another login in spite of it, add `--profile NAME`"),
            Self::OtherOrganization { file, organization, server } => {
                let domain = server
                    .as_ref()
                    .map_or_else(String::new, |server| format!(" --domain {server}"));
                CliError::denied(format!(
                    "`{}` is of the organization {organization}, which no login here acts in",
                    file.display()
                ))
                .hint(format!("log in to it: `kms login{domain}` and choose it"))
                .hint("to use another login in spite of it, add `--profile NAME`")
            }
            Self::Several { names } => {
                CliError::usage(format!("several logins would do: {}", quoted(names)))
                    .hint("name one with `--profile NAME`, or choose with `kms user switch`")
            }
            Self::Unreadable { reason } => CliError::failed(reason.clone()),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Chooses. `None` if nothing asks for a login that is not there.
pub(crate) fn choose(config: &Config, wanted: &Wanted<'_>) -> Result<Option<Chosen>, Refusal> {
    if let Some((name, by)) = wanted.name {
        let found = named(config, name, &format!("`{by}`"), wanted.origin)?;
        return Ok(Some(Chosen { profile: found.clone(), by: By::Name(by.to_owned()) }));
    }
    if let Some(origin) = wanted.origin {
        return of_server(config, origin, wanted.file, By::Server);
    }
    if let Some(file) = wanted.file {
        let by = By::File(file.path.clone());
        let domain: Option<Origin> = file.domain.as_ref().and_then(|text| text.parse().ok());
        if let Some(name) = &file.profile {
            let source = format!("`{}`", file.path.display());
            let profile = named(config, name, &source, domain.as_ref())?.clone();
            return Ok(Some(Chosen { profile, by }));
        }
        if let Some(domain) = domain {
            let found = of_server(config, &domain, Some(file), by)?;
            let new = || Refusal::NewServer { file: file.path.clone(), domain: domain.to_string() };
            return found.ok_or_else(new).map(Some);
        }
        if file.organization.is_some() && !config.profiles.is_empty() {
            let all: Vec<&Profile> = config.profiles.iter().collect();
            let there = of_organization(&all, Some(file), None)?;
            return preferred(config, &there, None, by);
        }
    }
    if let Some(current) = config.current() {
        return Ok(Some(Chosen { profile: current.clone(), by: By::Current }));
    }
    let all: Vec<&Profile> = config.profiles.iter().collect();
    one(&all, By::Only)
}

fn named<'a>(
    config: &'a Config,
    name: &str,
    by: &str,
    origin: Option<&Origin>,
) -> Result<&'a Profile, Refusal> {
    let unknown = || Refusal::Unknown { name: name.to_owned(), by: by.to_owned() };
    let profile = config.named(name).ok_or_else(unknown)?;
    match origin {
        Some(origin) if !profile.domain.is_same_server(origin) => Err(Refusal::OtherServer {
            name: name.to_owned(),
            its: profile.domain.to_string(),
            named: origin.to_string(),
        }),
        _ => Ok(profile),
    }
}

/// The login of a server: the one that the project file names, else the one of the organization
/// that it names, else the current one, else the only one.
fn of_server(
    config: &Config,
    origin: &Origin,
    file: Option<&ProjectFile>,
    by: By,
) -> Result<Option<Chosen>, Refusal> {
    let there = config.profiles.iter().filter(|profile| profile.domain.is_same_server(origin));
    let there: Vec<&Profile> = there.collect();
    let name = file.and_then(|file| file.profile.as_deref());
    if there.is_empty() || there.iter().any(|profile| Some(profile.name.as_str()) == name) {
        return preferred(config, &there, name, by);
    }
    preferred(config, &of_organization(&there, file, Some(origin))?, name, by)
}

/// Those that act in the organization that a project file names, where it names one.
fn of_organization<'a>(
    profiles: &[&'a Profile],
    file: Option<&ProjectFile>,
    server: Option<&Origin>,
) -> Result<Vec<&'a Profile>, Refusal> {
    let Some((file, organization)) = file.and_then(|file| Some((file, file.organization?))) else {
        return Ok(profiles.to_vec());
    };
    let acts = |profile: &&&Profile| profile.acting().id == organization;
    let there: Vec<_> = profiles.iter().filter(acts).copied().collect();
    if there.is_empty() {
        let server = server.map(ToString::to_string);
        return Err(Refusal::OtherOrganization { file: file.path.clone(), organization, server });
    }
    Ok(there)
}

/// The one with a name, else the current one, else the only one.
fn preferred(
    config: &Config,
    profiles: &[&Profile],
    name: Option<&str>,
    by: By,
) -> Result<Option<Chosen>, Refusal> {
    let found = profiles
        .iter()
        .find(|profile| Some(profile.name.as_str()) == name)
        .or_else(|| profiles.iter().find(|profile| Some(profile.id) == config.current));
    match found {
        Some(profile) => Ok(Some(Chosen { profile: (*profile).clone(), by })),
        None => one(profiles, by),
    }
}

fn one(profiles: &[&Profile], by: By) -> Result<Option<Chosen>, Refusal> {
    match profiles {
        [] => Ok(None),
        [only] => Ok(Some(Chosen { profile: (*only).clone(), by })),
        several => Err(Refusal::Several {
            names: several.iter().map(|profile| profile.name.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{super::Organization, *};

    fn config(profiles: &[(&str, &str)], current: Option<&str>) -> Config {
        let mut config = Config::default();
        for (name, domain) in profiles {
            let id = Uuid::new_v4();
            config.profiles.push(Profile {
                id,
                name: (*name).to_owned(),
                domain: domain.parse().unwrap(),
                user_id: Uuid::nil().into(),
                email: "a@example.com".into(),
                organization: Organization { id: id.into(), name: None, slug: None },
                sub_organization: None,
                logged_in_at: kms_api::Timestamp::from_seconds(0),
            });
            if current == Some(*name) {
                config.current = Some(id);
            }
        }
        config
    }

    fn file(profile: Option<&str>, domain: Option<&str>) -> ProjectFile {
        ProjectFile {
            path: "/repo/.kms.json".into(),
            profile: profile.map(str::to_owned),
            domain: domain.map(str::to_owned),
            ..ProjectFile::default()
        }
    }

    fn chosen(config: &Config, wanted: &Wanted<'_>) -> Option<String> {
        choose(config, wanted).unwrap().map(|chosen| chosen.profile.name)
    }

    const LOCAL: &str = "http://localhost:8080";
    const CLOUD: &str = "https://kms.hanzo.ai";

    #[test]
    fn a_name_beats_the_project_file_which_beats_the_current_login() {
        let config = config(&[("a", CLOUD), ("b", LOCAL), ("c", CLOUD)], Some("c"));
        let asks_b = file(Some("b"), None);
        let name = Some(("a", "--profile"));
        let wanted = Wanted { name, file: Some(&asks_b), origin: None };
        assert_eq!(chosen(&config, &wanted).as_deref(), Some("a"));
        let wanted = Wanted { file: Some(&asks_b), ..Wanted::default() };
        assert_eq!(chosen(&config, &wanted).as_deref(), Some("b"));
        assert_eq!(chosen(&config, &Wanted::default()).as_deref(), Some("c"));
    }

    #[test]
    fn a_server_picks_its_own_login_under_any_of_its_names() {
        let config = config(&[("a", CLOUD), ("b", LOCAL)], Some("a"));
        for name in ["http://127.0.0.1:8080", "http://[::1]:8080/api"] {
            let origin = name.parse().unwrap();
            let wanted = Wanted { origin: Some(&origin), ..Wanted::default() };
            assert_eq!(chosen(&config, &wanted).as_deref(), Some("b"), "{name}");
        }
        let origin = "http://localhost:8081".parse().unwrap();
        assert_eq!(chosen(&config, &Wanted { origin: Some(&origin), ..Wanted::default() }), None);
    }

    #[test]
    fn l8_a_project_file_chooses_among_known_servers_and_brings_in_no_other() {
        let config = config(&[("a", CLOUD), ("b", LOCAL)], Some("a"));
        let known = file(None, Some("http://127.0.0.1:8080/api"));
        let wanted = Wanted { file: Some(&known), ..Wanted::default() };
        assert_eq!(chosen(&config, &wanted).as_deref(), Some("b"));
        let evil = file(None, Some("https://kms.hanzo.ai.evil.example"));
        let wanted = Wanted { file: Some(&evil), ..Wanted::default() };
        let refusal = choose(&config, &wanted).unwrap_err();
        assert!(matches!(&refusal, Refusal::NewServer { .. }));
        assert_eq!(refusal.error().kind, crate::error::Kind::Denied);
        // Nor can it send a known login to another server.
        let both = file(Some("a"), Some("https://evil.example"));
        let wanted = Wanted { file: Some(&both), ..Wanted::default() };
        assert!(matches!(choose(&config, &wanted), Err(Refusal::OtherServer { .. })));
    }

    #[test]
    fn l8_a_name_does_not_send_a_login_to_another_server() {
        let config = config(&[("a", CLOUD)], None);
        let origin = "https://other.example".parse().unwrap();
        let name = Some(("a", "KMS_PROFILE"));
        let wanted = Wanted { name, origin: Some(&origin), file: None };
        assert!(matches!(choose(&config, &wanted), Err(Refusal::OtherServer { .. })));
        let wanted = Wanted { name: Some(("x", "KMS_PROFILE")), ..Wanted::default() };
        assert!(matches!(choose(&config, &wanted), Err(Refusal::Unknown { .. })));
    }

    #[test]
    fn the_organization_of_a_project_file_chooses_among_logins() {
        let config = config(&[("a", CLOUD), ("b", CLOUD), ("c", LOCAL)], Some("a"));
        let of = |profile: usize, domain| ProjectFile {
            organization: Some(config.profiles[profile].organization.id),
            ..file(None, domain)
        };
        for (asks, expected) in
            [(of(1, Some(CLOUD)), "b"), (of(1, None), "b"), (of(2, None), "c"), (of(0, None), "a")]
        {
            let wanted = Wanted { file: Some(&asks), ..Wanted::default() };
            assert_eq!(chosen(&config, &wanted).as_deref(), Some(expected));
        }
        let origin: Origin = CLOUD.parse().unwrap();
        let asks = of(1, None);
        let wanted = Wanted { file: Some(&asks), origin: Some(&origin), name: None };
        assert_eq!(chosen(&config, &wanted).as_deref(), Some("b"));
        // A login elsewhere is none in this organization; a name decides in spite of it.
        let asks = of(2, Some(CLOUD));
        let wanted = Wanted { file: Some(&asks), ..Wanted::default() };
        let refusal = choose(&config, &wanted).unwrap_err();
        assert!(matches!(refusal, Refusal::OtherOrganization { .. }));
        assert!(refusal.error().hints.iter().any(|hint| hint.contains("--domain")));
        let name = Some(("a", "--profile"));
        assert_eq!(chosen(&config, &Wanted { name, ..wanted }).as_deref(), Some("a"));
    }

    #[test]
    fn of_several_logins_none_is_guessed() {
        let origin: Origin = CLOUD.parse().unwrap();
        let wanted = Wanted { origin: Some(&origin), ..Wanted::default() };
        let two = [("a", CLOUD), ("b", CLOUD), ("c", LOCAL)];
        let refusal = choose(&config(&two, Some("c")), &wanted).unwrap_err();
        assert_eq!(refusal, Refusal::Several { names: vec!["a".into(), "b".into()] });
        assert_eq!(chosen(&config(&two, Some("b")), &wanted).as_deref(), Some("b"));
        let asks_a = file(Some("a"), None);
        let wanted = Wanted { file: Some(&asks_a), ..wanted };
        assert_eq!(chosen(&config(&two, Some("c")), &wanted).as_deref(), Some("a"));
        assert!(choose(&config(&two, None), &Wanted::default()).is_err());
        let only = choose(&config(&two[..1], None), &Wanted::default()).unwrap().unwrap();
        assert_eq!(only.by, By::Only);
    }
}
