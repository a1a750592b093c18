//! What references lead to, looked up under the caller's rules.
//!
//! Whether a secret that the caller may not read exists is told nobody: the refusal is the same
//! either way, unless there is no such environment at all, which every member may know.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use kms_api::SecretValue;
use kms_store::{Here, environments, secrets};
use uuid::Uuid;

use super::{
    At, Home, MAX_EXPANDED,
    expand::{Budget, Found, Lookup, Stop, expand},
    scan::{Reference, has_references},
};
use crate::{
    Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Subject},
    secrets::Opened,
};

/// Secrets that the references of one answer may lead to.
const MAX_TARGETS: usize = 20_000;
/// Rounds of looking up; more than any chain needs.
const MAX_ROUNDS: usize = 64;
/// References looked at at one go, before others get their turn on the thread, at least.
const TURN_OF_WORK: usize = 20_000;

/// Folders that are searched before the one that a value is from.
#[derive(Clone, Debug)]
pub(in crate::secrets) struct Overlay<'a> {
    /// For values of this folder.
    pub(in crate::secrets) of: Home<'a>,
    /// The first one that has the name counts.
    pub(in crate::secrets) first: Vec<Home<'a>>,
}

/// A value to expand.
pub(in crate::secrets) struct Root<'a> {
    /// Whose value it is.
    pub(in crate::secrets) at: At<'a>,
    /// The value.
    pub(in crate::secrets) value: &'a SecretValue,
    /// Where its own folder's names are looked up first.
    pub(in crate::secrets) overlay: Option<&'a Overlay<'a>>,
}

/// What became of a value.
pub(in crate::secrets) enum Outcome {
    /// There was no reference in it.
    Unchanged,
    /// The value with what it refers to.
    Expanded(SecretValue),
    /// It refers to something that the caller may not read; says which.
    Denied(String),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key<'a>([Cow<'a, str>; 3]);

impl<'a> Key<'a> {
    fn of(at: At<'a>) -> Self {
        let At { home: Home { environment, path }, name } = at;
        Self([environment, path, name].map(Cow::Borrowed))
    }

    fn owned(&self) -> Key<'static> {
        Key(self.0.each_ref().map(|text| Cow::Owned(text.clone().into_owned())))
    }

    fn at(&self) -> At<'_> {
        let [environment, path, name] = &self.0;
        At::new(environment, path, name)
    }

    fn texts(&self) -> [&str; 3] {
        self.0.each_ref().map(|text| &**text)
    }
}

enum State<'a> {
    Missing,
    Denied,
    Shown(&'a SecretValue),
    Read(SecretValue),
}

/// What is known of the secrets of a project.
pub(in crate::secrets) struct Known<'a> {
    access: &'a ProjectAccess,
    /// Whose overrides win over shared values.
    owner: Uuid,
    /// Where in `entries` a secret is.
    index: HashMap<Key<'a>, usize>,
    entries: Vec<(Key<'a>, State<'a>)>,
    /// Folders whose names are all known, see [`Known::whole`].
    whole: Option<Whole<'a>>,
    /// The slugs of all environments, once they had to be asked for.
    environments: Option<HashSet<String>>,
    looked_up: usize,
}

/// Folders of one environment that were read whole.
#[derive(Clone, Copy)]
pub(in crate::secrets) struct Whole<'a> {
    /// The environment's slug.
    pub(in crate::secrets) environment: &'a str,
    /// The folders' paths, in order.
    pub(in crate::secrets) folders: &'a [String],
    /// Path and name of the secrets in them that are not shown.
    pub(in crate::secrets) left_out: &'a HashSet<(String, String)>,
}

impl Whole<'_> {
    /// Whether there is no such secret, of those that are not shown.
    fn lacks(&self, At { home: Home { environment, path }, name }: At<'_>) -> bool {
        environment == self.environment
            && self.folders.binary_search_by(|folder| folder.as_str().cmp(path)).is_ok()
            && (self.left_out.is_empty()
                || !self.left_out.contains(&(path.to_owned(), name.to_owned())))
    }
}

impl<'a> Known<'a> {
    /// Nothing yet. A user's overrides win over shared values.
    pub(in crate::secrets) fn new(access: &'a ProjectAccess, owner: Uuid) -> Self {
        Self {
            access,
            owner,
            index: HashMap::new(),
            entries: Vec::new(),
            whole: None,
            environments: None,
            looked_up: 0,
        }
    }

    /// Takes in a value that is shown to the caller anyway.
    pub(in crate::secrets) fn shown(&mut self, at: At<'a>, value: &'a SecretValue) {
        self.set(Key::of(at), State::Shown(value));
    }

    /// Says that of some folders all secrets are shown, but for those that are left out.
    pub(in crate::secrets) fn whole(&mut self, whole: Whole<'a>) {
        self.whole = Some(whole);
    }

    fn set(&mut self, key: Key<'a>, state: State<'a>) {
        if let Some(&at) = self.index.get(&key) {
            self.entries[at].1 = state;
        } else {
            self.index.insert(key.clone(), self.entries.len());
            self.entries.push((key, state));
        }
    }

    /// How many secrets elsewhere were read.
    pub(in crate::secrets) fn read(&self) -> usize {
        self.entries.iter().filter(|(_, state)| matches!(state, State::Read(_))).count()
    }

    fn may_read(&self, at: At<'_>, tags: &[String]) -> bool {
        self.allows(Action::DescribeSecret, at, tags) && self.allows(Action::ReadValue, at, tags)
    }

    fn may_describe(&self, at: At<'_>, tags: &[String]) -> bool {
        self.allows(Action::DescribeSecret, at, tags)
    }

    fn allows(&self, action: Action, at: At<'_>, tags: &[String]) -> bool {
        let attributes = Attributes {
            environment: Some(at.home.environment),
            secret_path: Some(at.home.path),
            secret_name: Some(at.name),
            secret_tags: tags,
            ..Attributes::default()
        };
        self.access.rules.allows(action, Subject::Secrets, &attributes)
    }
}

/// Looks up in what is known and notes what is not.
pub(super) struct Finder<'f> {
    known: &'f Known<'f>,
    overlay: Option<&'f Overlay<'f>>,
    missing: RefCell<&'f mut Missing>,
}

/// What is known of one secret.
enum Seen<'s> {
    Unknown,
    Nothing,
    Entry(&'s (Key<'s>, State<'s>)),
}

/// What has to be looked up.
#[derive(Default)]
pub(super) struct Missing {
    keys: HashSet<Key<'static>>,
    environments: bool,
}

impl<'f> Finder<'f> {
    pub(super) fn new(
        known: &'f Known<'f>,
        overlay: Option<&'f Overlay<'f>>,
        missing: &'f mut Missing,
    ) -> Self {
        Self { known, overlay, missing: RefCell::new(missing) }
    }

    fn state(&self, at: At<'_>) -> Seen<'_> {
        let key = Key::of(at);
        if let Some(found) = self.known.index.get(&key).copied() {
            return self.known.entries.get(found).map_or(Seen::Nothing, Seen::Entry);
        }
        if self.known.whole.is_some_and(|whole| whole.lacks(at)) {
            return Seen::Nothing;
        }
        self.missing.borrow_mut().keys.insert(key.owned());
        Seen::Unknown
    }

    /// What is behind a reference of which nothing exists: the same as if it did, to those who
    /// may not read it.
    fn nothing(&self, at: At<'_>, explicit: bool) -> Found<'_> {
        if self.known.may_read(at, &[]) {
            return Found::Missing;
        }
        match &self.known.environments {
            _ if !explicit => Found::Denied,
            Some(slugs) if slugs.contains(at.home.environment) => Found::Denied,
            Some(_) => Found::Missing,
            None => {
                self.missing.borrow_mut().environments = true;
                Found::Unknown
            }
        }
    }
}

impl Lookup for Finder<'_> {
    fn find(&self, from: Home<'_>, reference: &Reference<'_>) -> Found<'_> {
        let first = self.overlay.filter(|overlay| overlay.of == from);
        let first = first.map_or(&[][..], |overlay| &overlay.first);
        let target = reference.target();
        let target = target.as_ref().map(|t| At::new(t.environment, &t.path, t.key));
        // A name with dots that exists in the folder is that name.
        let local =
            first.iter().chain([&from]).map(|home| At { home: *home, name: reference.text });
        let mut unknown = false;
        for at in local.chain(target) {
            match self.state(at) {
                Seen::Unknown => unknown = true,
                Seen::Nothing | Seen::Entry((_, State::Missing)) => {}
                // What comes first has to be looked up first.
                Seen::Entry(_) if unknown => {}
                Seen::Entry((_, State::Denied)) => return Found::Denied,
                Seen::Entry((key, State::Shown(value))) => {
                    return Found::Value(key.at(), value.expose());
                }
                Seen::Entry((key, State::Read(value))) => {
                    return Found::Value(key.at(), value.expose());
                }
            }
        }
        match target {
            _ if unknown => Found::Unknown,
            Some(at) => self.nothing(at, true),
            None if reference.text.contains('.') => Found::Missing,
            None => self.nothing(At { home: from, name: reference.text }, false),
        }
    }
}

impl Core {
    /// Expands values, each under the caller's rules, in their order.
    pub(in crate::secrets) async fn expand_all<'a>(
        &self,
        known: &mut Known<'a>,
        roots: &[Root<'a>],
    ) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<_> = roots.iter().map(|_| Outcome::Unchanged).collect();
        let refers = |root: &Root<'_>| has_references(root.value.expose());
        let mut open: Vec<_> =
            roots.iter().enumerate().filter(|(_, root)| refers(root)).map(|(n, _)| n).collect();
        let (mut budget, size) = (Budget::new(), known.access.rules.turn());
        for _ in 0..MAX_ROUNDS {
            let mut missing = Missing::default();
            let mut later = Vec::new();
            for turn in open.chunks(size) {
                let mut last = budget;
                for &index in turn {
                    match try_root(known, &roots[index], &mut missing, &mut budget)? {
                        Some(outcome) => outcomes[index] = outcome,
                        None => later.push(index),
                    }
                    if budget.worked_since(last) > TURN_OF_WORK {
                        last = budget;
                        tokio::task::yield_now().await;
                    }
                }
                tokio::task::yield_now().await;
            }
            if later.is_empty() {
                return Ok(outcomes);
            }
            open = later;
            self.look_up_references(known, missing).await?;
        }
        Err(too_much())
    }

    /// Reads what is missing, in one statement for all secrets.
    async fn look_up_references(&self, known: &mut Known<'_>, missing: Missing) -> Result<()> {
        let (org, project) = (known.access.project.org_id, known.access.id());
        if missing.environments {
            let rows = environments::list(&self.store, org, project).await?;
            known.environments = Some(rows.into_iter().map(|row| row.slug).collect());
        }
        known.looked_up += missing.keys.len();
        if known.looked_up > MAX_TARGETS {
            return Err(too_much());
        }
        let names: Vec<_> = missing.keys.iter().map(Key::texts).collect();
        let here = Here { org, project, owner: known.owner };
        let rows = secrets::find_many(&self.store, &here, &names).await?;
        let mut opened = Vec::with_capacity(rows.len());
        for found in rows {
            let (path, row) = found.placed.split();
            let Some(row) = row else { continue };
            let key = Key([found.environment, path, row.name.clone()].map(Cow::Owned));
            opened.push((key, Opened::open(known.access, row)?));
        }
        let tagged = opened.iter().map(|(_, opened)| opened.tags());
        let labels = self.labels(&self.store, known.access, tagged).await?;
        for (key, opened) in opened {
            let is_own = opened.is_override();
            // Whoever wrote an override may read it, and it comes before what all share.
            if !is_own && known.index.contains_key(&key) {
                continue;
            }
            let tags = labels.slugs(opened.tags());
            let state = if is_own || known.may_read(key.at(), &tags) {
                State::Read(opened.payload.value)
            } else if known.may_describe(key.at(), &tags) {
                State::Denied
            } else {
                // As if it were not there, whose refusal is the same.
                State::Missing
            };
            known.set(key, state);
        }
        for key in missing.keys {
            if !known.index.contains_key(&key) {
                known.set(key, State::Missing);
            }
        }
        Ok(())
    }
}

/// Expands a value with what is known; none when something has to be looked up first.
fn try_root(
    known: &Known<'_>,
    root: &Root<'_>,
    missing: &mut Missing,
    budget: &mut Budget,
) -> Result<Option<Outcome>> {
    let finder = Finder::new(known, root.overlay, missing);
    let mut left = *budget;
    let ended = expand(&finder, root.at, root.value.expose(), &mut left);
    budget.pay_for(left);
    match ended {
        Ok(expanded) if !expanded.complete => Ok(None),
        Ok(expanded) => {
            *budget = left;
            Ok(Some(Outcome::Expanded(expanded.text.into())))
        }
        Err(Stop::TooMuch) => Err(too_much()),
        Err(Stop::Denied(reference)) => Ok(Some(Outcome::Denied(format!(
            "Secret {} refers to '${{{reference}}}', which you are not allowed to read",
            root.at
        )))),
    }
}

/// The references of an answer lead too far (attack R7).
pub(super) fn too_much() -> Error {
    Error::bad_request(format!(
        "Secret references expand to more than a value of {MAX_EXPANDED} bytes or an answer may \
         hold; read the secrets without expanding references"
    ))
}
