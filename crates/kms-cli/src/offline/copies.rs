//! The copies of one login, as files: `cache/LOGIN/index` and one for each answer.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kms_api::secrets::{ListSecretsQuery, SecretsResponse};
use kms_crypto::{Kept, Key, OsEntropy, name_of, random_bytes};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::index::{Entry, Index};
use crate::{
    error::{CliError, ResultExt as _},
    private_file,
    profiles::{self, Config, Profile},
    vault::Vault,
};

/// What turns a login's id into the name of the key of its copies.
const ITEM: u128 = 0x6f66_666c_696e_6520_636f_7079_206b_6579;
/// How long a file is at most, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The generation, in the clear, before what is sealed.
const HEADER: usize = size_of::<u64>();
/// Seconds for which the same answer is not written again; by so much a copy may be younger than it
/// says.
const FRESH: i64 = 300;
const INDEX: &str = "index";
const FOLDER: &str = "cache";

/// All that an answer depends on.
pub(crate) struct Question {
    project: String,
    /// The whole query, with every option that changes its answer.
    query: String,
}

impl Question {
    pub(crate) fn new(query: &ListSecretsQuery) -> Result<Self, CliError> {
        Ok(Self {
            // Ids are one whatever their letters.
            project: query.project.project_id.as_deref().unwrap_or_default().to_lowercase(),
            query: serde_json::to_string(query).map_err(CliError::internal)?,
        })
    }
}

/// A copy.
pub(crate) struct Copy {
    pub(crate) answer: SecretsResponse,
    /// How long ago it was read, in seconds.
    pub(crate) age: i64,
}

/// The copies of a login.
pub(crate) struct Copies {
    folder: PathBuf,
    profile: Profile,
    vault: Vault,
}

impl fmt::Debug for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copies").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}

impl Copies {
    /// Those of a login, in the folder of its user's files.
    pub(crate) fn new(folder: &Path, profile: Profile, vault: Vault) -> Self {
        Self { folder: folder.join(FOLDER), profile, vault }
    }

    /// The copy of an answer, if one was kept; fails where what is there is not what was kept last.
    pub(crate) fn find(&self, question: &Question) -> Result<Option<Copy>, CliError> {
        if !self.directory().exists() {
            return Ok(None);
        }
        let Some(mut key) = self.key()? else { return Ok(None) };
        let _alone = self.lock()?;
        let index = match self.index(&key) {
            Ok(index) => index,
            // Another process may have replaced both since the key was read.
            Err(error) => {
                key = self.key()?.ok_or(error)?;
                self.index(&key)?
            }
        };
        let Some(index) = index else { return Ok(None) };
        let name = self.name(&key, question)?;
        let Some(entry) = index.copies.get(&name) else { return Ok(None) };
        let Some(bytes) = self.read(&name)? else { return Ok(None) };
        let (generation, sealed) = self.split(&name, &bytes)?;
        if generation < entry.generation {
            return Err(self.refused(&name, "an older copy was put in its place"));
        }
        let place = self.place(&question.query);
        let opened = Kept::Answer.open(&key, &parts(&place), entry.generation, sealed);
        let plain = opened.map_err(|_| self.damaged(&name))?;
        let answer = serde_json::from_slice(&plain).map_err(|_| self.damaged(&name))?;
        let age = profiles::now().seconds().saturating_sub(entry.read_at);
        if age < -MAX_SKEW {
            return Err(self.refused(&name, "by this machine's clock it is from the future"));
        }
        Ok(Some(Copy { answer, age: age.max(0) }))
    }

    /// Keeps an answer in place of a former one. `false` if it is too large.
    pub(crate) fn keep(
        &self,
        question: &Question,
        answer: &SecretsResponse,
    ) -> Result<bool, CliError> {
        let plain = text_of(answer)?;
        if plain.len() as u64 + 1024 > MAX_BYTES {
            self.forget(question)?;
            return Ok(false);
        }
        private_file::folder(&self.folder)
            .and_then(|()| private_file::folder(&self.directory()))
            .context(format!("could not use `{}`", self.directory().display()))?;
        let _alone = self.lock()?;
        // A program that runs on after the logout leaves nothing behind.
        if !self.is_logged_in()? {
            return remove(&self.folder, self.profile.id).map(|()| true);
        }
        let (key, mut index) = self.usable()?;
        let name = self.name(&key, question)?;
        let place = self.place(&question.query);
        if index
            .copies
            .get(&name)
            .is_some_and(|entry| self.holds(&key, &place, &name, entry, &plain))
        {
            return Ok(true);
        }
        let generation = index.next_generation(micros());
        let sealed = Kept::Answer.seal(&key, &parts(&place), generation, &plain, &OsEntropy);
        let bytes = self.write(&name, generation, &sealed.map_err(CliError::internal)?)?;
        let (read_at, project) = (profiles::now().seconds(), question.project.clone());
        index.copies.insert(name, Entry { generation, read_at, project, bytes });
        self.save(&key, &mut index)?;
        Ok(true)
    }

    /// Drops the copy of an answer.
    pub(crate) fn forget(&self, question: &Question) -> Result<(), CliError> {
        self.drop_where(|key, copies| {
            let name = self.name(key, question)?;
            copies.retain(|(known, _)| *known == name);
            Ok(())
        })
    }

    /// Drops every copy of the question's project.
    pub(crate) fn forget_project(&self, question: &Question) -> Result<(), CliError> {
        self.drop_where(|_, copies| {
            copies.retain(|(_, entry)| entry.project == question.project);
            Ok(())
        })
    }

    /// Drops all of them: the key first, which makes every file of them useless for good.
    pub(crate) fn wipe(&self) -> Result<(), CliError> {
        let key = self.vault.remove(item(self.profile.id));
        // One that stays is no reason for the other to stay.
        key.and(remove(&self.folder, self.profile.id))
    }

    /// As [`Self::wipe`], asking no vault where there never was a copy.
    pub(crate) fn wipe_if_any(&self) -> Result<(), CliError> {
        if self.directory().exists() { self.wipe() } else { Ok(()) }
    }

    fn drop_where(
        &self,
        choose: impl FnOnce(&Key, &mut Vec<(String, Entry)>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        if !self.directory().exists() {
            return Ok(());
        }
        let _alone = self.lock()?;
        let Some(key) = self.key()? else { return Ok(()) };
        let mut index = match self.index(&key) {
            Ok(Some(index)) => index,
            Ok(None) => return Ok(()),
            // There is no telling what is kept, so all of it goes.
            Err(_) => return self.wipe(),
        };
        let mut doomed: Vec<_> = index.copies.clone().into_iter().collect();
        choose(&key, &mut doomed)?;
        if doomed.is_empty() {
            return Ok(());
        }
        for (name, _) in doomed {
            index.copies.remove(&name);
            self.remove_file(&name);
        }
        self.save(&key, &mut index)
    }

    /// Whether this very answer was kept a moment ago: writing it again would cost more than asking for
    /// it did.
    fn holds(
        &self,
        key: &Key,
        place: &[String; 5],
        name: &str,
        entry: &Entry,
        plain: &[u8],
    ) -> bool {
        let age = profiles::now().seconds().saturating_sub(entry.read_at);
        let Ok(Some(bytes)) = self.read(name) else { return false };
        let Ok((generation, sealed)) = self.split(name, &bytes) else { return false };
        (0..FRESH).contains(&age)
            && generation == entry.generation
            && Kept::Answer
                .open(key, &parts(place), generation, sealed)
                .is_ok_and(|kept| kept.as_slice() == plain)
    }

    fn is_logged_in(&self) -> Result<bool, CliError> {
        let ours = &self.profile;
        let is_ours = |known: &Profile| {
            known.id == ours.id && known.is(&ours.domain, ours.user_id, ours.acting().id)
        };
        Ok(Config::read(self.folder.parent().unwrap_or(&self.folder))?.profiles.iter().any(is_ours))
    }

    /// Key and index to keep something with. Where there is no index that opens there is no telling
    /// what was kept, so both begin anew.
    fn usable(&self) -> Result<(Key, Index), CliError> {
        if let Some(key) = self.key()?
            && let Ok(Some(index)) = self.index(&key)
        {
            return Ok((key, index));
        }
        let bytes = Zeroizing::new(random_bytes::<32>(&OsEntropy));
        let text = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
        self.vault.put(item(self.profile.id), &SecretString::from(text.as_str()))?;
        Ok((Key::from_bytes(*bytes), Index::default()))
    }

    fn key(&self) -> Result<Option<Key>, CliError> {
        let Some(text) = self.vault.get(item(self.profile.id))? else { return Ok(None) };
        let bytes = STANDARD.decode(text.expose_secret()).map(Zeroizing::new).ok();
        Ok(bytes.and_then(|bytes| bytes.as_slice().try_into().ok()).map(Key::from_bytes))
    }

    fn index(&self, key: &Key) -> Result<Option<Index>, CliError> {
        let Some(bytes) = self.read(INDEX)? else { return Ok(None) };
        let (generation, sealed) = self.split(INDEX, &bytes)?;
        let place = self.place("");
        let opened = Kept::Index.open(key, &parts(&place), generation, sealed);
        let plain = opened.map_err(|_| self.damaged(INDEX))?;
        serde_json::from_slice(&plain).map_err(|_| self.damaged(INDEX)).map(Some)
    }

    fn save(&self, key: &Key, index: &mut Index) -> Result<(), CliError> {
        for name in index.prune(profiles::now().seconds()) {
            self.remove_file(&name);
        }
        let generation = index.next_generation(micros());
        let plain = serde_json::to_vec(index).map_err(CliError::internal)?;
        let place = self.place("");
        let sealed = Kept::Index.seal(key, &parts(&place), generation, &plain, &OsEntropy);
        self.write(INDEX, generation, &sealed.map_err(CliError::internal)?).map(drop)
    }

    /// What everything of this login is bound to, and what is asked.
    fn place(&self, query: &str) -> [String; 5] {
        let profile = &self.profile;
        [
            profile.domain.to_string(),
            profile.user_id.to_string(),
            profile.acting().id.to_string(),
            profile.id.to_string(),
            query.to_owned(),
        ]
    }

    fn name(&self, key: &Key, question: &Question) -> Result<String, CliError> {
        name_of(key, &parts(&self.place(&question.query))).map_err(CliError::internal)
    }

    fn split<'a>(&self, name: &str, bytes: &'a [u8]) -> Result<(u64, &'a [u8]), CliError> {
        let (header, sealed) =
            bytes.split_first_chunk::<HEADER>().ok_or_else(|| self.damaged(name))?;
        Ok((u64::from_be_bytes(*header), sealed))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CliError> {
        let path = self.directory().join(name);
        match private_file::read_up_to(&path, MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(CliError::from(error).context(format!("could not read `{}`", path.display())))
            }
        }
    }

    fn write(&self, name: &str, generation: u64, sealed: &[u8]) -> Result<u64, CliError> {
        let path = self.directory().join(name);
        let content = [&generation.to_be_bytes(), sealed].concat();
        private_file::replace_quickly(&path, &content)
            .context(format!("could not write `{}`", path.display()))?;
        Ok(content.len() as u64)
    }

    /// What stays behind is of no use: no index names it any more.
    fn remove_file(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.directory().join(name)) {
            tracing::debug!(%error, "a copy that does not count was not removed");
        }
    }

    fn lock(&self) -> Result<private_file::Lock, CliError> {
        private_file::lock(&self.folder.join(lock_name(self.profile.id)))
    }

    fn directory(&self) -> PathBuf {
        self.folder.join(self.profile.id.to_string())
    }

    fn damaged(&self, name: &str) -> CliError {
        self.refused(name, "it is damaged, or was made for something else")
    }

    fn refused(&self, name: &str, why: &str) -> CliError {
        let path = self.directory().join(name);
        CliError::failed(format!("the offline copy `{}` is not used: {why}", path.display()))
            .hint("the same command without `--offline` reads from the server and keeps a new copy")
    }
}

/// How far the clock may have been put back since a copy was read, in seconds.
const MAX_SKEW: i64 = 300;

/// The name of the key of a login's copies, in the vault.
pub(crate) fn item(profile: Uuid) -> Uuid {
    Uuid::from_u128(profile.as_u128() ^ ITEM)
}

/// The logins that there are copies of, below the user's files.
pub(crate) fn logins(files: &Path) -> Vec<Uuid> {
    let folders = fs::read_dir(files.join(FOLDER)).into_iter().flatten().flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok()).collect()
}

/// Removes the files of a login's copies.
fn remove(folder: &Path, profile: Uuid) -> Result<(), CliError> {
    let gone = |result: io::Result<()>, path: &Path| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::from(error).context(format!("could not remove `{}`", path.display())))
        }
        _ => Ok(()),
    };
    let (copies, lock) = (folder.join(profile.to_string()), folder.join(lock_name(profile)));
    gone(fs::remove_dir_all(&copies), &copies)?;
    gone(fs::remove_file(&lock), &lock)
}

fn lock_name(profile: Uuid) -> String {
    format!("{profile}.lock")
}

fn parts(place: &[String; 5]) -> [&str; 5] {
    place.each_ref().map(String::as_str)
}

/// As JSON, in one allocation that is wiped: one that grows leaves its former places behind (S5).
fn text_of(answer: &SecretsResponse) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut counted = Counted(0);
    answer.serialize(&mut serde_json::Serializer::new(&mut counted)).map_err(CliError::internal)?;
    let mut text = Zeroizing::new(Vec::with_capacity(counted.0));
    serde_json::to_writer(&mut *text, answer).map_err(CliError::internal)?;
    Ok(text)
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_the_text_of_an_answer_has_one_allocation_which_is_wiped() {
        let answer = SecretsResponse { secrets: Vec::new(), imports: Vec::new() };
        let text = text_of(&answer).unwrap();
        assert_eq!(text.as_slice(), br#"{"secrets":[],"imports":[]}"#);
        assert_eq!(text.capacity(), text.len());
    }

    #[test]
    fn the_key_of_copies_has_another_name_than_that_of_the_login() {
        let id = Uuid::new_v4();
        assert_ne!(item(id), id);
        assert_eq!(item(item(id)), id);
    }
}
