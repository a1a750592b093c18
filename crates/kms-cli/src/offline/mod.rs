//! What was read by a login is kept, sealed, for when its server cannot be reached.
//!
//! `kept` keeps the copies; here is when one is used. A machine's token leaves none behind: only
//! a login that is kept here has a key to seal them to.

mod age;
mod kept;

use std::sync::Arc;

use clap::Args;
use kms_api::secrets::{ListSecretsQuery, SecretsResponse};
use kms_client::{Client, Error as ClientError};

pub(crate) use kept::remove_all;
use kept::{Found, Kept};

use crate::{
    Context, env_vars,
    error::{CliError, ResultExt as _},
    profiles::now,
    ui::Ui,
};

/// The oldest copy that takes the place of the server unless `--cache-max-age` says otherwise, in
/// seconds.
const MAX_AGE: i64 = 86_400;

/// How copies are used.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CopyArgs {
    /// Use what was read before, without asking the server
    #[arg(long, global = true, conflicts_with_all = ["prefer_offline", "no_cache"])]
    offline: bool,

    /// Use what was read before if it is young enough, else ask the server
    #[arg(long, global = true, conflicts_with = "no_cache")]
    prefer_offline: bool,

    /// How old what was read before may be, such as 90s, 15m, 12h or 7d [default: 1d; with
    /// --offline 30d]
    #[arg(long, global = true, value_name = "AGE", value_parser = age::parse)]
    cache_max_age: Option<i64>,

    /// Neither keep nor use a copy of what is read
    #[arg(long, global = true)]
    no_cache: bool,
}

impl CopyArgs {
    /// The flags that were given, for a command that does not read.
    pub(crate) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--offline", self.offline),
            ("--prefer-offline", self.prefer_offline),
            ("--cache-max-age", self.cache_max_age.is_some()),
            ("--no-cache", self.no_cache),
        ]
    }

    /// Whether the server must not be asked.
    pub(crate) fn is_offline(&self, context: &Context) -> bool {
        self.policy(context).is_ok_and(|policy| policy.mode == Mode::Copy)
    }

    /// A flag beats a variable.
    fn policy(&self, context: &Context) -> Result<Policy, CliError> {
        let env = &context.settings.env;
        let is_flag = self.offline || self.prefer_offline || self.no_cache;
        let on = |flag: bool, variable| flag || (!is_flag && env.is_on(variable));
        let mode = if on(self.no_cache, &env_vars::NO_CACHE) {
            Mode::Server
        } else if on(self.offline, &env_vars::OFFLINE) {
            Mode::Copy
        } else if on(self.prefer_offline, &env_vars::PREFER_OFFLINE) {
            Mode::YoungCopy
        } else {
            Mode::ServerThenCopy
        };
        let named = env.get(&env_vars::CACHE_MAX_AGE);
        let named = named.filter(|_| self.cache_max_age.is_none());
        let named = named.map(|(text, by)| {
            age::parse(&text)
                .map_err(|error| CliError::usage(error).context(format!("`{by}` is not an age")))
        });
        let given = self.cache_max_age.or(named.transpose()?);
        let default = if mode == Mode::Copy { kept::KEPT_FOR } else { MAX_AGE };
        Ok(Policy { mode, max_age: given.unwrap_or(default).min(kept::KEPT_FOR) })
    }
}

/// Who is asked, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The server; its copy when it cannot be reached.
    ServerThenCopy,
    /// A copy that is young enough; else as before.
    YoungCopy,
    /// Never the server.
    Copy,
    /// Never a copy, and none is kept.
    Server,
}

#[derive(Clone, Copy, Debug)]
struct Policy {
    mode: Mode,
    /// Seconds.
    max_age: i64,
}

/// Reads lists, from the server or from what is kept.
pub(crate) struct Reader<'c> {
    client: &'c Client,
    ui: Ui,
    policy: Policy,
    /// None where nothing is kept: for a token, or where it is switched off.
    kept: Option<Kept>,
}

impl<'c> Reader<'c> {
    pub(crate) fn new(
        client: &'c Client,
        args: &CopyArgs,
        context: &Context,
    ) -> Result<Self, CliError> {
        let policy = args.policy(context)?;
        let settings = &context.settings;
        let kept = match (&settings.token, policy.mode) {
            (Some(token), Mode::Copy) => {
                let by = token.by.as_deref().unwrap_or_default();
                return Err(CliError::usage(format!(
                    "nothing is kept for offline use of what the token in `{by}` reads"
                ))
                .hint("copies belong to logins: `kms login`, and no token beside it"));
            }
            (Some(_), _) | (None, Mode::Server) => None,
            (None, _) => match settings.chosen()? {
                Some(chosen) => {
                    let session = settings.session(&chosen.profile)?;
                    Some(Kept::new(settings.profiles.folder()?, Arc::clone(&session)))
                }
                None => None,
            },
        };
        Ok(Self { client, ui: context.ui, policy, kept })
    }

    /// The answer to a list. The outer error is one of what is kept, the inner one the server's.
    pub(crate) async fn list(
        &self,
        query: &ListSecretsQuery,
    ) -> Result<Result<SecretsResponse, ClientError>, CliError> {
        let Some(kept) = &self.kept else { return Ok(self.client.list_secrets(query).await) };
        match self.policy.mode {
            Mode::Copy => return self.copy(kept, query).map(Ok),
            Mode::YoungCopy => {
                if let Ok(Some(found)) = kept.find(query)
                    && now().seconds() - found.read_at <= self.policy.max_age
                {
                    return Ok(Ok(found.answer));
                }
            }
            Mode::ServerThenCopy | Mode::Server => {}
        }
        let error = match self.client.list_secrets(query).await {
            Ok(answer) => {
                if let Err(error) = kept.keep(query, &answer, now().seconds()) {
                    let reason: Vec<_> = error.chain().collect();
                    let reason = reason.join(": ");
                    self.ui.warn(&format!("nothing was kept for offline use: {reason}"));
                }
                return Ok(Ok(answer));
            }
            Err(error) => error,
        };
        withdraw(kept, query, &error)?;
        Ok(match self.instead(kept, query, &error) {
            Some(answer) => Ok(answer),
            None => Err(error),
        })
    }

    /// What is kept, or why it cannot be used.
    fn copy(&self, kept: &Kept, query: &ListSecretsQuery) -> Result<SecretsResponse, CliError> {
        let at = place(query);
        let online = "run the command once without `--offline`";
        let found = kept.find(query).context(format!("could not use what was read of {at}"))?;
        let Found { answer, read_at } = found.ok_or_else(|| {
            CliError::failed(format!("nothing is kept of {at}, read in this way")).hint(online)
        })?;
        let age = (now().seconds() - read_at).max(0);
        if age > self.policy.max_age {
            let ago = age::ago(age);
            return Err(CliError::failed(format!("what is kept of {at} was read {ago}")).hint(
                format!("{online}, or let it be older: `--cache-max-age {}s`", age + 3_600),
            ));
        }
        self.ui.notice(&format!("Using what was read of {at} {}", age::ago(age)));
        Ok(answer)
    }

    /// A copy in the place of a server that cannot be reached. One that answers, whatever it says,
    /// and one that is not who it should be are no such thing.
    fn instead(
        &self,
        kept: &Kept,
        query: &ListSecretsQuery,
        error: &ClientError,
    ) -> Option<SecretsResponse> {
        let ClientError::Unreachable { origin, .. } = error else { return None };
        let found = match kept.find(query) {
            Ok(found) => found?,
            Err(error) => {
                tracing::debug!(?error, "a copy was not used");
                return None;
            }
        };
        let age = (now().seconds() - found.read_at).max(0);
        if age > self.policy.max_age {
            return None;
        }
        self.ui.warn(&format!(
            "`{origin}` cannot be reached; using what was read of {} {}",
            place(query),
            age::ago(age)
        ));
        Some(found.answer)
    }
}

/// What the server refuses now is not kept any longer (attack S4).
fn withdraw(kept: &Kept, query: &ListSecretsQuery, error: &ClientError) -> Result<(), CliError> {
    let withdrawn = match error {
        ClientError::SessionEnded { .. } => kept.remove_all(),
        _ => match error.status() {
            Some(401) => kept.remove_all(),
            Some(403) => kept.remove_project(query),
            Some(404) => kept.remove(query),
            _ => return Ok(()),
        },
    };
    withdrawn.context("could not remove what was kept for offline use")
}

/// A folder, for people.
fn place(query: &ListSecretsQuery) -> String {
    let path = query.secret_path.as_deref().unwrap_or("/");
    format!("`{}:{path}`", query.environment.as_deref().unwrap_or_default())
}
