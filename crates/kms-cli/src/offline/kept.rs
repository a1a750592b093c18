//! The sealed copies of one login.
//!
//! A copy is a file of its own, sealed to the login's key, which is in the vault alone. Inside
//! stands what it is a copy of (server, person, organization and the whole question), which is
//! compared when it is opened, so that no file can take another's place. A sealed index knows the
//! newest generation of each: an older file put back is refused. Both put back together look like
//! the past; then only the age that stands in them tells.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::secrets::{ListSecretsQuery, SecretsResponse};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    error::{CliError, ResultExt as _},
    private_file,
    profiles::SessionStore,
};

/// Seconds that a copy is kept at most.
pub(super) const KEPT_FOR: i64 = 30 * 86_400;
/// Seconds for which the same answer is not written again.
const FRESH: i64 = 5 * 60;
/// Copies of one login at most; the oldest make room.
const MAX_COPIES: usize = 200;
/// Bytes of one copy and of all copies of one login at most.
const MAX_BYTES: usize = 3 * 1024 * 1024;
const MAX_TOTAL: usize = 64 * 1024 * 1024;

/// Why a copy is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// It does not open with the login's key.
    #[error("`{0}` was damaged, or belongs to another login")]
    Damaged(PathBuf),
    /// It is one of something else.
    #[error("`{0}` is a copy of something else")]
    Foreign(PathBuf),
    /// It is not the newest one that was kept.
    #[error("`{0}` is older than the newest copy that was kept")]
    Old(PathBuf),
}

/// A copy that may be used.
pub(super) struct Found {
    pub(super) answer: SecretsResponse,
    /// Seconds since the epoch.
    pub(super) read_at: i64,
}

/// What stands before the answer in a copy, on a line of its own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    binding: String,
    generation: u64,
    read_at: i64,
}

/// A copy and the answer in it.
type Opened = (Head, Zeroizing<Vec<u8>>);

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    /// Whose it is.
    login: String,
    generation: u64,
    copies: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    project: String,
    generation: u64,
    read_at: i64,
    bytes: usize,
}

/// The copies of one login.
pub(super) struct Kept {
    folder: PathBuf,
    session: Arc<SessionStore>,
}

impl Kept {
    pub(super) fn new(files: &Path, session: Arc<SessionStore>) -> Self {
        Self { folder: folder_of(files, session.profile().id), session }
    }

    /// The copy of an answer, if one is kept.
    pub(super) fn find(&self, query: &ListSecretsQuery) -> Result<Option<Found>, CliError> {
        let binding = self.binding(query)?;
        let name = name(&binding);
        let Some((head, answer)) = self.open_copy(&name, &binding)? else { return Ok(None) };
        let newest = self.index()?.copies.get(&name).map(|entry| entry.generation);
        // A copy is written before the index is, so that a newer one is as good.
        if newest.is_none_or(|newest| head.generation < newest) {
            return Err(CliError::failed(Unusable::Old(self.path(&name))));
        }
        let answer = serde_json::from_slice(&answer)
            .map_err(|_| CliError::failed(Unusable::Damaged(self.path(&name))))?;
        Ok(Some(Found { answer, read_at: head.read_at }))
    }

    /// Keeps an answer, in place of a former one. One that is too large is not kept.
    pub(super) fn keep(
        &self,
        query: &ListSecretsQuery,
        answer: &SecretsResponse,
        now: i64,
    ) -> Result<(), CliError> {
        let binding = self.binding(query)?;
        let name = name(&binding);
        let answer = Zeroizing::new(serde_json::to_vec(answer).map_err(CliError::internal)?);
        if answer.len() > MAX_BYTES {
            self.remove(query)?;
            return Err(CliError::failed(format!(
                "the answer has more than {} MiB",
                MAX_BYTES / 1024 / 1024
            )));
        }
        let _alone = self.lock()?;
        // One that cannot be read is replaced as a whole.
        let mut index = self.index().unwrap_or_default();
        if let Some(entry) = index.copies.get(&name)
            && (0..FRESH).contains(&(now - entry.read_at))
            && let Ok(Some((head, known))) = self.open_copy(&name, &binding)
            && head.generation >= entry.generation
            && known == answer
        {
            return Ok(());
        }
        index.generation += 1;
        let head = Head { binding, generation: index.generation, read_at: now };
        let mut plain = Zeroizing::new(Vec::with_capacity(answer.len() + 1_024));
        serde_json::to_writer(&mut *plain, &head).map_err(CliError::internal)?;
        plain.push(b'\n');
        plain.extend_from_slice(&answer);
        self.write(&name, &plain)?;
        let project = query.project.project_id.clone().unwrap_or_default();
        let entry =
            Entry { project, generation: head.generation, read_at: now, bytes: answer.len() };
        index.copies.insert(name, entry);
        self.make_room(&mut index, now);
        self.write_index(&mut index)
    }

    /// Removes the copy of an answer.
    pub(super) fn remove(&self, query: &ListSecretsQuery) -> Result<(), CliError> {
        let name = name(&self.binding(query)?);
        self.remove_those(|known, _| *known == name)
    }

    /// Removes the copies of all that was read of a project.
    pub(super) fn remove_project(&self, query: &ListSecretsQuery) -> Result<(), CliError> {
        let project = query.project.project_id.clone().unwrap_or_default();
        self.remove_those(|_, entry| entry.project == project)
    }

    /// Removes every copy of the login.
    pub(super) fn remove_all(&self) -> Result<(), CliError> {
        remove_folder(&self.folder)
    }

    fn remove_those(&self, is_meant: impl Fn(&String, &Entry) -> bool) -> Result<(), CliError> {
        if !self.folder.exists() {
            return Ok(());
        }
        let _alone = self.lock()?;
        // Whatever an index that cannot be read says of them, they go.
        let Ok(mut index) = self.index() else { return self.remove_all() };
        let gone: Vec<_> =
            index.copies.extract_if(.., |name, entry| is_meant(name, entry)).collect();
        for (name, _) in &gone {
            remove_file(&self.path(name))?;
        }
        if gone.is_empty() { Ok(()) } else { self.write_index(&mut index) }
    }

    /// Forgets what is too old, and the oldest of what is too much.
    fn make_room(&self, index: &mut Index, now: i64) {
        let mut gone: Vec<_> =
            index.copies.extract_if(.., |_, entry| now - entry.read_at > KEPT_FOR).collect();
        let too_much = |copies: &BTreeMap<String, Entry>| {
            copies.len() > MAX_COPIES
                || copies.values().map(|entry| entry.bytes).sum::<usize>() > MAX_TOTAL
        };
        while too_much(&index.copies) {
            let oldest = index.copies.iter().min_by_key(|(_, entry)| entry.generation);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            gone.extend(index.copies.remove_entry(&name));
        }
        for (name, _) in gone {
            if let Err(error) = remove_file(&self.path(&name)) {
                tracing::debug!(?error, "an old copy stays");
            }
        }
    }

    fn open_copy(&self, name: &str, binding: &str) -> Result<Option<Opened>, CliError> {
        let path = self.path(name);
        let Some(plain) = self.open(&path)? else { return Ok(None) };
        let damaged = || CliError::failed(Unusable::Damaged(path.clone()));
        let end = plain.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let head: Head = serde_json::from_slice(&plain[..end]).map_err(|_| damaged())?;
        if head.binding != binding {
            return Err(CliError::failed(Unusable::Foreign(path)));
        }
        Ok(Some((head, Zeroizing::new(plain[end + 1..].to_vec()))))
    }

    fn index(&self) -> Result<Index, CliError> {
        let path = self.path(INDEX);
        let Some(plain) = self.open(&path)? else { return Ok(Index::default()) };
        let damaged = || CliError::failed(Unusable::Damaged(path.clone()));
        let index: Index = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        if index.login != self.login() {
            return Err(CliError::failed(Unusable::Foreign(path)));
        }
        Ok(index)
    }

    fn write_index(&self, index: &mut Index) -> Result<(), CliError> {
        index.login = self.login();
        let plain = Zeroizing::new(serde_json::to_vec(index).map_err(CliError::internal)?);
        self.write(INDEX, &plain)
    }

    fn open(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CliError> {
        match private_file::read(path) {
            Ok(sealed) => match self.session.unseal(&sealed)? {
                Some(plain) => Ok(Some(plain)),
                None => Err(CliError::failed(Unusable::Damaged(path.to_owned()))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(format!("could not read `{}`", path.display())),
        }
    }

    fn write(&self, name: &str, plain: &[u8]) -> Result<(), CliError> {
        let path = self.path(name);
        private_file::replace(&path, &self.session.seal(plain)?)
            .context(format!("could not write `{}`", path.display()))
    }

    fn lock(&self) -> Result<private_file::Lock, CliError> {
        private_file::folder(&self.folder)
            .context(format!("could not use `{}`", self.folder.display()))?;
        private_file::lock(&self.folder.join("lock"))
    }

    /// Who reads where: a copy is good for nobody else.
    fn login(&self) -> String {
        let profile = self.session.profile();
        format!("{} {} {}", profile.domain, profile.user_id, profile.acting().id)
    }

    fn binding(&self, query: &ListSecretsQuery) -> Result<String, CliError> {
        serde_json::to_string(&(self.login(), query)).map_err(CliError::internal)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.age"))
    }
}

const INDEX: &str = "index";

/// Removes every copy of a login.
pub(crate) fn remove_all(files: &Path, login: Uuid) -> Result<(), CliError> {
    remove_folder(&folder_of(files, login))
}

fn folder_of(files: &Path, login: Uuid) -> PathBuf {
    files.join("cache").join(login.to_string())
}

fn name(binding: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(binding))
}

fn remove_folder(path: &Path) -> Result<(), CliError> {
    gone(std::fs::remove_dir_all(path), path)
}

fn remove_file(path: &Path) -> Result<(), CliError> {
    gone(std::fs::remove_file(path), path)
}

fn gone(result: io::Result<()>, path: &Path) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context(format!("could not remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
