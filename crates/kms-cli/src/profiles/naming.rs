//! What a profile is called.

use super::{Config, Organization, Profile};

/// A name that no other profile has: that of the organization, with the server or the person
/// behind it where that is not enough. A profile keeps the name that it has.
pub(super) fn name(config: &Config, profile: &Profile) -> String {
    if let Some(known) = config.profiles.iter().find(|known| known.id == profile.id) {
        return known.name.clone();
    }
    let organization = organization(profile);
    let server = profile.domain.authority();
    let person = plain(&profile.email);
    let mut candidates = vec![
        organization.clone(),
        format!("{organization}@{server}"),
        format!("{person}/{organization}"),
        format!("{person}/{organization}@{server}"),
    ];
    // Another spelling of the same server tells nothing apart.
    let here = |other: &Profile| other.domain.is_same_server(&profile.domain);
    if config.named(&organization).is_some_and(here) {
        candidates.remove(1);
    }
    let numbered = (2..).map(|number| format!("{organization}-{number}"));
    let mut names = candidates.into_iter().chain(numbered);
    names.find(|name| config.named(name).is_none()).unwrap_or(organization)
}

/// Slugs of the root and, behind a slash, of the sub-organization; the person where the server
/// told no slug.
fn organization(profile: &Profile) -> String {
    let sub = profile.sub_organization.as_ref().map(slug);
    match (slug(&profile.organization), sub) {
        (Some(root), None) => root,
        (Some(root), Some(Some(sub))) => format!("{root}/{sub}"),
        _ => plain(&profile.email),
    }
}

fn slug(organization: &Organization) -> Option<String> {
    let told = organization.slug.as_ref().or(organization.name.as_ref());
    told.map(|told| plain(told)).filter(|told| !told.is_empty())
}

/// What a shell takes as it is: a server must not choose a name that has to be quoted or that
/// looks like an option.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "._@".contains(c) { c } else { '-' };
    let text: String = text.trim().to_ascii_lowercase().chars().map(kept).take(64).collect();
    text.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn profile(email: &str, slug: &str, domain: &str) -> Profile {
        let organization =
            Organization { id: Uuid::new_v4().into(), name: None, slug: Some(slug.to_owned()) };
        Profile {
            id: Uuid::new_v4(),
            name: String::new(),
            domain: domain.parse().unwrap(),
            user_id: Uuid::new_v4().into(),
            email: email.into(),
            organization,
            sub_organization: None,
            logged_in_at: kms_api::Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn the_shortest_name_that_tells_profiles_apart() {
        let mut config = Config::default();
        let mut add = |email: &str, slug: &str, domain: &str| {
            let mut new = profile(email, slug, domain);
            new.name = name(&config, &new);
            config.profiles.push(new);
            config.profiles.last().unwrap().name.clone()
        };
        assert_eq!(add("a@x.org", "acme", "https://one.example"), "acme");
        assert_eq!(add("a@x.org", "acme", "http://two.example:81"), "acme@two.example:81");
        assert_eq!(add("b@x.org", "acme", "https://two.example:81"), "b@x.org/acme");
        assert_eq!(add("b@x.org", "acme", "http://two.example:81"), "b@x.org/acme@two.example:81");
        assert_eq!(add("b@x.org", "acme", "http://two.example:81"), "acme-2");
        assert_eq!(add("a@x.org", "home", "http://localhost:81"), "home");
        assert_eq!(add("b@x.org", "home", "http://127.0.0.1:81"), "b@x.org/home");
    }

    #[test]
    fn l11_a_server_cannot_choose_a_name_that_steers_a_terminal_or_reads_as_an_option() {
        let config = Config::default();
        let hostile = profile("a@x.org", "--help \x1b[2J;rm\u{202e}", "https://one.example");
        assert_eq!(name(&config, &hostile), "help---2j-rm");
        let empty = profile("a@x.org", "\u{202e}", "https://one.example");
        assert_eq!(name(&config, &empty), "a@x.org");
    }
}
