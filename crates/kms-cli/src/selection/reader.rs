//! Where answers come from: the server, and copies of what it answered before.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use kms_api::secrets::{ListSecretsQuery, SecretsResponse};
use kms_client::{Client, ClientBuilder, Error as ClientError};

use super::ReadArgs;
use crate::{
    Context,
    error::CliError,
    offline::{self, Copies, Copy, Mode, Policy, Question},
    ui::Ui,
};

/// Reads lists of secrets. Nothing of a network is made before it is needed.
pub(crate) struct Reader {
    client: OnceLock<Client>,
    builder: Mutex<Option<ClientBuilder>>,
    /// `None` for tokens that were given, of which nothing is kept.
    copies: Option<Copies>,
    policy: Policy,
    /// Whether only what the server says now is wanted.
    live: AtomicBool,
    ui: Ui,
}

impl Reader {
    /// Decides who reads, and whether copies count.
    pub(crate) fn new(read: &ReadArgs, context: &Context) -> Result<Self, CliError> {
        let settings = &context.settings;
        let mut policy = read.offline.decide(&settings.env)?;
        let (client, builder, copies) = if settings.token.is_some() {
            if policy.mode == Mode::Only {
                let by = policy.by.unwrap_or_default();
                return Err(CliError::usage(format!(
                    "`{by}` needs a stored login: nothing is kept of what a token reads"
                ))
                .hint("log in with `kms login`, and leave the token out"));
            }
            policy.mode = Mode::Never;
            (OnceLock::from(settings.client()?), None, None)
        } else {
            let chosen = settings.chosen()?.ok_or_else(|| settings.nobody())?;
            let copies = match policy.mode {
                Mode::Never => None,
                _ => Some(settings.profiles.copies(&chosen.profile)?),
            };
            let builder = match policy.mode {
                Mode::Only => None,
                _ => Some(settings.builder_of(&chosen.profile)?),
            };
            (OnceLock::new(), builder, copies)
        };
        let builder = Mutex::new(builder);
        Ok(Self { client, builder, copies, policy, live: AtomicBool::new(false), ui: context.ui })
    }

    /// The client, for whatever has no copy.
    pub(crate) fn client(&self) -> Result<&Client, CliError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(builder) = builder else {
            let by = self.policy.by.unwrap_or_default();
            return Err(CliError::usage(format!(
                "the server would have to be asked, and `{by}` is set"
            ))
            .hint("offline, projects can be named by their ids only"));
        };
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Fails where the server must not be asked.
    pub(crate) fn require_server(&self, what: &str) -> Result<(), CliError> {
        match (self.policy.mode, self.policy.by) {
            (Mode::Only, Some(by)) => {
                Err(CliError::usage(format!("{what} has no meaning with `{by}`")))
            }
            _ => Ok(()),
        }
    }

    /// From now on only the server counts.
    pub(crate) fn go_live(&self) {
        self.live.store(true, Ordering::Relaxed);
    }

    /// Reads a list. `explain` says what could not be read.
    pub(crate) async fn list(
        &self,
        query: &ListSecretsQuery,
        explain: impl FnOnce(ClientError) -> CliError,
    ) -> Result<SecretsResponse, CliError> {
        let Some(copies) = &self.copies else {
            return self.client()?.list_secrets(query).await.map_err(explain);
        };
        let question = Question::new(query)?;
        let live = self.live.load(Ordering::Relaxed);
        match self.policy.mode {
            Mode::Only => return self.only(copies, &question, query),
            Mode::Prefer if !live => {
                if let Some(copy) = self.young(copies, &question) {
                    self.ui.notice(&format!("Using the copy of {} {}", at(query), read(&copy)));
                    return Ok(copy.answer);
                }
            }
            _ => {}
        }
        match self.client()?.list_secrets(query).await {
            Ok(answer) => {
                self.keep(copies, &question, query, &answer);
                Ok(answer)
            }
            Err(error) if offline::is_unreachable(&error) && !live => {
                let why = error.to_string();
                self.instead(copies, &question, query, &why, explain(error))
            }
            Err(error) => {
                self.forget(copies, &question, &error);
                Err(explain(error))
            }
        }
    }

    fn only(
        &self,
        copies: &Copies,
        question: &Question,
        query: &ListSecretsQuery,
    ) -> Result<SecretsResponse, CliError> {
        let at = at(query);
        let copy = copies.find(question)?.ok_or_else(|| {
            CliError::failed(format!("there is no offline copy of {at}, read with these options"))
                .hint("the same command without `--offline` reads from the server and keeps one")
        })?;
        if copy.age >= self.policy.max_age {
            return Err(too_old(&at, &copy));
        }
        self.ui.notice(&format!("Using the copy of {at} {}", read(&copy)));
        Ok(copy.answer)
    }

    /// What stands in for the server, which could not be reached.
    fn instead(
        &self,
        copies: &Copies,
        question: &Question,
        query: &ListSecretsQuery,
        why: &str,
        error: CliError,
    ) -> Result<SecretsResponse, CliError> {
        let at = at(query);
        let hint = match copies.find(question) {
            Ok(Some(copy)) if copy.age < self.policy.max_age => {
                self.ui.warn(&format!("{why}: using the copy of {at} {}", read(&copy)));
                return Ok(copy.answer);
            }
            Ok(Some(copy)) => too_old(&at, &copy).chain().collect::<Vec<_>>().join(": "),
            Ok(None) => return Err(error),
            Err(refusal) => refusal.chain().collect::<Vec<_>>().join(": "),
        };
        Err(error.hint(hint))
    }

    fn young(&self, copies: &Copies, question: &Question) -> Option<Copy> {
        match copies.find(question) {
            Ok(copy) => copy.filter(|copy| copy.age < self.policy.max_age),
            Err(error) => {
                self.ui.notice(&error.chain().collect::<Vec<_>>().join(": "));
                None
            }
        }
    }

    /// What cannot be kept is no reason to fail: the answer is there.
    fn keep(
        &self,
        copies: &Copies,
        question: &Question,
        query: &ListSecretsQuery,
        answer: &SecretsResponse,
    ) {
        match copies.keep(question, answer) {
            Ok(true) => {}
            Ok(false) => self.ui.notice(&format!(
                "No offline copy of {} is kept, as it is larger than 16 MiB",
                at(query)
            )),
            Err(error) => {
                let causes: Vec<_> = error.chain().collect();
                self.ui.notice(&format!("No offline copy is kept: {}", causes.join(": ")));
            }
        }
    }

    /// What a server refuses now is not to be had from a copy later: all of a login that has ended,
    /// all of a project that one is no member of any more, else what was asked for.
    fn forget(&self, copies: &Copies, question: &Question, error: &ClientError) {
        // What answers and is no KMS has no say in it.
        let ClientError::Status { status, .. } = error else {
            if offline::has_ended(error) {
                self.told(copies.wipe());
            }
            return;
        };
        self.told(match status {
            401 => copies.wipe(),
            403 => copies.forget_project(question),
            // Of a folder that is misspelt, the others stay.
            404 if is_about_project(&error.to_string()) => copies.forget_project(question),
            400 | 404 | 410 | 422 => copies.forget(question),
            _ => Ok(()),
        });
    }

    fn told(&self, forgotten: Result<(), CliError>) {
        if let Err(error) = forgotten {
            let causes: Vec<_> = error.chain().collect();
            self.ui.warn(&format!("an offline copy may be left: {}", causes.join(": ")));
        }
    }
}

/// Whether a refusal says that the project is not there; one about a folder holds its path.
fn is_about_project(text: &str) -> bool {
    !text.starts_with("Folder with path") && text.to_lowercase().contains("project")
}

fn too_old(at: &str, copy: &Copy) -> CliError {
    CliError::failed(format!(
        "the offline copy of {at} was read {}, which is longer ago than `--cache-max-age` allows",
        offline::told(copy.age)
    ))
    .hint("to use it in spite of it: `--cache-max-age 7d`, 30 days at most")
}

/// What a copy is of, for people.
fn at(query: &ListSecretsQuery) -> String {
    let path = query.secret_path.as_deref().unwrap_or("/");
    format!("`{path}` of `{}`", query.environment.as_deref().unwrap_or_default())
}

fn read(copy: &Copy) -> String {
    format!("that was read {}", offline::told(copy.age))
}
