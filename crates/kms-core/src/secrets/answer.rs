//! Finished answers, and the memory of them.
//!
//! An answer is remembered under all that it depends on: the question, the caller's rules, the user
//! whose overrides are in it and the project's epoch, read before the data was (see
//! [`crate::epochs`]). References and imports never lead out of a project. The rules are told apart by
//! their identity in memory, which the question keeps alive: whoever's rights change gets other
//! rules, so no epoch of rights is needed here.

use std::{
    hash::{Hash, Hasher},
    io,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use kms_api::{ProjectId, SecretId};
use moka::sync::Cache;
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use serde::Serialize;
use uuid::Uuid;

use super::Skin;
use crate::{Caller, Core, Error, Result, access::RuleSet, audit::Event, place::Place};

/// Plaintext that nobody asked for is forgotten after this long.
const IDLE: Duration = Duration::from_mins(10);
/// What an entry takes besides its bytes, about.
const ENTRY: usize = 600;

/// A finished body and its entity tag. The bytes are wiped when the last holder drops them.
#[derive(Clone)]
pub struct Answer {
    /// JSON.
    pub body: Bytes,
    /// A strong entity tag, in its quotes. It is a keyed hash: nobody can check guesses of a value
    /// against a tag that was logged.
    pub etag: Arc<str>,
}

/// What an answer depends on besides the data.
#[derive(Clone)]
pub(super) struct Question {
    rules: Arc<RuleSet>,
    project: ProjectId,
    environment: String,
    path: String,
    asked: Asked,
    reach: Reach,
}

/// How far an answer goes beyond what is stored at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reach {
    /// Whether references are expanded.
    pub(super) expand: bool,
    /// Whether imports are answered.
    pub(super) imports: bool,
    /// Whose overrides are in the answer; nobody's for
    /// [`SHARED`](kms_store::secrets::SHARED), so that all may share it.
    pub(super) owner: Uuid,
    /// By which version of the contract.
    pub(super) skin: Skin,
}

/// What is asked about a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// A list.
    All {
        /// Whether folders below are listed too.
        recursive: bool,
        /// Whether values are wanted.
        values: bool,
        /// Key and value of metadata that a secret must have.
        metadata: Vec<(String, String)>,
        /// Slugs of tags of which a secret must have one, if any are given.
        tags: Option<Vec<String>>,
    },
    /// One secret.
    One {
        /// Its name.
        name: String,
        /// Its id, where a secret of another would not do.
        id: Option<SecretId>,
        /// A version, or the current one.
        version: Option<i64>,
        /// Whether the value is wanted.
        value: bool,
        /// Whether the caller's own override is asked for.
        personal: bool,
    },
}

impl Question {
    pub(super) fn new(place: &Place, asked: Asked, reach: Reach) -> Self {
        Self {
            rules: Arc::clone(&place.access.rules),
            project: place.access.id(),
            environment: place.environment.clone(),
            path: place.path.as_str().to_owned(),
            asked,
            reach,
        }
    }

    /// Bytes that it takes besides itself, about.
    fn size(&self) -> usize {
        self.environment.len() + self.path.len() + self.asked.size()
    }
}

impl Asked {
    fn size(&self) -> usize {
        let text = |text: &String| size_of::<String>() + text.len();
        match self {
            Self::All { metadata, tags, .. } => {
                let pairs: usize =
                    metadata.iter().map(|(key, value)| text(key) + text(value)).sum();
                pairs + tags.iter().flatten().map(text).sum::<usize>()
            }
            Self::One { name, .. } => text(name),
        }
    }
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rules, &other.rules)
            && self.project == other.project
            && self.path == other.path
            && self.environment == other.environment
            && self.asked == other.asked
            && self.reach == other.reach
    }
}

impl Eq for Question {}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.rules).hash(state);
        self.project.hash(state);
        self.environment.hash(state);
        self.path.hash(state);
        self.asked.hash(state);
        self.reach.hash(state);
    }
}

#[derive(Clone)]
struct Remembered {
    epoch: u64,
    answer: Answer,
    event: Event,
}

/// The memory of answers.
pub(crate) struct Answers(Option<Cache<Question, Remembered>>);

impl Answers {
    /// A memory of at most this many bytes; none for 0.
    pub(crate) fn new(budget: u64) -> Self {
        if budget == 0 {
            return Self(None);
        }
        let weigh = |question: &Question, entry: &Remembered| {
            let bytes = ENTRY + question.size() + entry.answer.body.len();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(budget).time_to_idle(IDLE).weigher(weigh).build();
        Self(Some(cache))
    }

    /// Does what the memory has put off, so that a test sees the budget kept.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        if let Some(cache) = &self.0 {
            cache.run_pending_tasks();
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Cache::entry_count)
    }
}

/// Whether somebody gets to see what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Somebody does; the audit log tells it.
    Recorded,
    /// Nobody does.
    Unseen,
}

/// What an answer is made of: the data and what the audit log is told about the read.
pub(super) struct Made<T> {
    pub(super) body: T,
    pub(super) event: Event,
}

impl Core {
    /// Answers a question from memory, or by making the answer; either way the read is recorded
    /// before anything is handed out.
    pub(super) async fn answer<T: Serialize>(
        &self,
        caller: &Caller,
        question: Question,
        make: impl Future<Output = Result<Made<T>>>,
    ) -> Result<Answer> {
        self.answer_as(caller, question, make, Read::Recorded).await
    }

    /// As [`Core::answer`]; what nobody sees is no read.
    pub(super) async fn answer_as<T: Serialize>(
        &self,
        caller: &Caller,
        question: Question,
        make: impl Future<Output = Result<Made<T>>>,
        read: Read,
    ) -> Result<Answer> {
        let memory = match &self.answers.0 {
            Some(memory) => Some((memory, self.project_epoch(caller, question.project).await?)),
            None => None,
        };
        if let Some((memory, epoch)) = memory
            && let Some(known) = memory.get(&question)
            && known.epoch == epoch
        {
            self.record_read(caller, &known.event, read).await?;
            return Ok(known.answer);
        }
        let Made { body, event } = make.await?;
        let answer = self.to_answer(&body)?;
        self.record_read(caller, &event, read).await?;
        if let Some((memory, epoch)) = memory {
            memory.insert(question, Remembered { epoch, answer: answer.clone(), event });
        }
        Ok(answer)
    }

    async fn record_read(&self, caller: &Caller, event: &Event, read: Read) -> Result<()> {
        match read {
            Read::Recorded => self.log_read(caller, event).await,
            Read::Unseen => Ok(()),
        }
    }

    fn to_answer(&self, body: &impl Serialize) -> Result<Answer> {
        let mut bytes = Wiped::default();
        serde_json::to_writer(&mut bytes, body)
            .map_err(|error| Error::Internal(Box::new(error)))?;
        let etag = format!("\"{}\"", STANDARD.encode(self.content_tag(&bytes.0))).into();
        Ok(Answer { body: Bytes::from_owner(bytes.0), etag })
    }
}

/// Bytes that are wiped, also where they have been before they grew.
#[derive(Default)]
struct Wiped(Zeroizing<Vec<u8>>);

impl io::Write for Wiped {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < more.len() {
            let mut larger = Vec::with_capacity((self.0.len() + more.len()).max(2_048) * 2);
            larger.extend_from_slice(&self.0);
            std::mem::swap(&mut *self.0, &mut larger);
            larger.zeroize();
        }
        self.0.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
