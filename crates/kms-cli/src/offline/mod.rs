//! Copies of what was read, for when the server cannot be reached.
//!
//! Only a stored login has them: its copies are sealed to a key of its own in the vault, so that
//! without an unlocked vault there are none, and without the key, which goes with the login,
//! nothing opens them any more. What a copy is bound to is in [`Question`]; which of them counts,
//! and what may be put back unnoticed, in `index.rs`.

mod copies;
mod index;

use std::time::Duration;

use kms_client::Error as ClientError;

use crate::{
    Context, env_vars,
    env_vars::{Env, Variable},
    error::CliError,
    profiles::Profiles,
};

pub(crate) use copies::{Copies, Copy, Question, item, logins};

/// How old a copy may be unless its reader says otherwise.
const DEFAULT_AGE: Duration = Duration::from_hours(24);
/// How old a copy may be whatever its reader says; older ones are removed.
const LONGEST_AGE: Duration = Duration::from_hours(30 * 24);

/// Whether the server is asked.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// Read the copy that was kept, and connect to nothing
    #[arg(long, global = true, conflicts_with_all = ["prefer_offline", "no_cache"])]
    offline: bool,

    /// Read the copy that was kept if it is young enough, else ask the server
    #[arg(long, global = true, conflicts_with = "no_cache")]
    prefer_offline: bool,

    /// How old a copy may be, such as `90s`, `30m`, `12h` or `7d` [default: 24h]
    #[arg(long, global = true, value_name = "DURATION", value_parser = age)]
    cache_max_age: Option<Duration>,

    /// Neither read nor keep a copy
    #[arg(long, global = true)]
    no_cache: bool,
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The server; copies stand in where it cannot be reached.
    Server,
    /// A copy that is young enough, else the server.
    Prefer,
    /// A copy.
    Only,
    /// The server, without copies.
    Never,
}

/// What was decided about copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) mode: Mode,
    /// What decided it, where it is not the default.
    pub(crate) by: Option<&'static str>,
    /// In seconds.
    pub(crate) max_age: i64,
}

impl Flags {
    /// The flags that were given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--offline", self.offline),
            ("--prefer-offline", self.prefer_offline),
            ("--cache-max-age", self.cache_max_age.is_some()),
            ("--no-cache", self.no_cache),
        ]
    }

    /// Flags beat variables; of the latter, the one that does most without the server.
    pub(crate) fn decide(&self, env: &Env) -> Result<Policy, CliError> {
        let flags = [
            (self.offline, Mode::Only, "--offline"),
            (self.prefer_offline, Mode::Prefer, "--prefer-offline"),
            (self.no_cache, Mode::Never, "--no-cache"),
        ];
        let on = |variable: &Variable| env.is_on(variable);
        let variables = [
            (on(&env_vars::OFFLINE), Mode::Only, "KMS_OFFLINE"),
            (on(&env_vars::NO_CACHE), Mode::Never, "KMS_NO_CACHE"),
            (on(&env_vars::PREFER_OFFLINE), Mode::Prefer, "KMS_PREFER_OFFLINE"),
        ];
        let mut all = flags.into_iter().chain(variables);
        let chosen = all.find(|(is_given, ..)| *is_given);
        let (mode, by) = chosen.map_or((Mode::Server, None), |(_, mode, by)| (mode, Some(by)));
        let max_age = match (self.cache_max_age, env.get(&env_vars::CACHE_MAX_AGE)) {
            (Some(given), _) => given,
            (None, Some((text, name))) => age(&text).map_err(|error| {
                CliError::usage(error).context(format!("`{name}` is not valid"))
            })?,
            (None, None) => DEFAULT_AGE,
        };
        Ok(Policy { mode, by, max_age: i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX) })
    }
}

/// A number of seconds, or of what follows it.
fn age(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("use a number with `s`, `m`, `h` or `d`, such as `12h`".into()),
    };
    let number: u64 = digits.parse().map_err(|_| "use a whole number, such as in `12h`")?;
    let age = Duration::from_secs(number.saturating_mul(seconds));
    if age > LONGEST_AGE {
        return Err("no copy is kept for more than `30d`".into());
    }
    Ok(age)
}

/// An age for people.
pub(crate) fn told(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..=0 => return "just now".into(),
        1..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

/// Whether the way to the server failed, so that a copy may stand in. Whatever a server said
/// itself counts, and who cannot be verified is not merely away.
pub(crate) fn is_unreachable(error: &ClientError) -> bool {
    // A gateway that has no server behind it answers for itself.
    matches!(error, ClientError::Unreachable { .. } | ClientError::NotKms { status: 502..=504, .. })
}

/// Whether a server said that the login counts no more.
pub(crate) fn has_ended(error: &ClientError) -> bool {
    matches!(error, ClientError::SessionEnded { cause: Some(cause), .. }
        if matches!(**cause, ClientError::Status { .. }))
}

/// Wipes the copies of a login that its server has just ended, whatever the command was.
pub(crate) fn forget_ended(context: &Context, error: &CliError) {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&*error.source);
    while let Some(cause) = next {
        if cause.downcast_ref().is_some_and(has_ended) {
            break;
        }
        next = cause.source();
    }
    let (Some(_), None, Ok(Some(chosen))) =
        (next, &context.settings.token, context.settings.chosen())
    else {
        return;
    };
    wipe(&context.settings.profiles, &chosen.profile, context);
}

fn wipe(profiles: &Profiles, profile: &crate::profiles::Profile, context: &Context) {
    let wiped = profiles.copies(profile).and_then(|copies| copies.wipe_if_any());
    if let Err(error) = wiped {
        let causes: Vec<_> = error.chain().collect();
        context.ui.warn(&format!("an offline copy may be left: {}", causes.join(": ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::Fixed(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    #[test]
    fn an_age_is_a_number_and_a_unit_and_bounded() {
        for (text, seconds) in
            [("0", 0), ("90", 90), ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("30d", 2_592_000)]
        {
            assert_eq!(age(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "h", "-1", "1.5h", "1w", "31d", "1h30m", "99999999999999999999", "12 h"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn flags_beat_variables_and_those_the_default() {
        let decide = |flags: &Flags, pairs| flags.decide(&env(pairs)).unwrap();
        let none = Flags::default();
        let default = Policy { mode: Mode::Server, by: None, max_age: 86_400 };
        assert_eq!(decide(&none, &[]), default);
        assert_eq!(decide(&none, &[("KMS_OFFLINE", "0")]), default);
        assert_eq!(decide(&none, &[("KMS_OFFLINE", "1")]).mode, Mode::Only);
        assert_eq!(decide(&none, &[("KMS_CACHE_MAX_AGE", "1m")]).max_age, 60);
        let prefer = Flags { prefer_offline: true, ..Flags::default() };
        let given = [("KMS_OFFLINE", "1"), ("KMS_CACHE_MAX_AGE", "1m")];
        let prefers = Policy { mode: Mode::Prefer, by: Some("--prefer-offline"), max_age: 60 };
        assert_eq!(decide(&prefer, &given), prefers);
        assert!(none.decide(&env(&[("KMS_CACHE_MAX_AGE", "soon")])).is_err());
    }

    #[test]
    fn ages_are_told_in_one_unit() {
        for (seconds, text) in [
            (-5, "just now"),
            (0, "just now"),
            (1, "1 second ago"),
            (119, "119 seconds ago"),
            (120, "2 minutes ago"),
            (7_200, "2 hours ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(told(seconds), text);
        }
    }
}
