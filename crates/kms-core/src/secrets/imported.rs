//! Secrets that a folder imports from others.
//!
//! An import is a place; what is there is read when somebody asks, under that caller's rules for
//! *that* place. Imports of imported folders are followed for [`MAX_DEPTH`] levels, each folder
//! once. All imports of a level are read in one statement, all their secrets in another.

use std::collections::{HashMap, HashSet};

use kms_api::{
    FolderId,
    secret_imports::ImportEnvironment,
    secrets::{Secret, SecretImport},
};
use kms_store::{
    Here, secret_imports,
    secrets::{self, SHARED, SecretRow},
};

use super::{
    Opened,
    view::{Frame, Show},
};
use crate::{
    Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Subject},
    imports::environment_of,
    place::Place,
    tags::Labels,
};

/// Levels of imports that are followed.
const MAX_DEPTH: usize = 10;
/// Folders that one answer may import from, and imports that it may hold.
const MAX_SOURCES: usize = 1_000;
/// Bytes that imports may bring into one answer: a folder counts for each that imports it.
const MAX_IMPORTED: usize = 32 * 1024 * 1024;

/// Slug of an environment and path.
pub(super) type Folder = (String, String);

/// An import, and the folders that are imported along with it.
pub(super) struct Chain {
    /// The path of the folder that imports.
    pub(super) importer: String,
    pub(super) source: Folder,
    environment: ImportEnvironment,
    /// What wins stands first.
    pub(super) nested: Vec<Folder>,
}

impl Chain {
    /// All folders, what wins first.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Folder> {
        std::iter::once(&self.source).chain(&self.nested)
    }
}

/// An import as the walk finds it.
struct Edge {
    position: i64,
    source: Folder,
    environment: ImportEnvironment,
}

type Graph = HashMap<Folder, Vec<Edge>>;

impl Core {
    /// The imports of folders of one environment, first to last.
    pub(super) async fn chains(&self, place: &Place, paths: &[String]) -> Result<Vec<Chain>> {
        let start: Vec<_> =
            paths.iter().map(|path| (place.environment.clone(), path.clone())).collect();
        let graph = self.graph(&place.access, &start).await?;
        let mut chains = Vec::new();
        for folder in &start {
            for edge in graph.get(folder).into_iter().flatten() {
                let (source, environment) = (edge.source.clone(), edge.environment.clone());
                let importer = folder.1.clone();
                chains.push(Chain { importer, source, environment, nested: Vec::new() });
            }
        }
        if chains.len() > MAX_SOURCES {
            let message = format!("The folders have more than {MAX_SOURCES} imports");
            return Err(Error::bad_request(message));
        }
        let mut seen: HashSet<Folder> = start.into_iter().collect();
        seen.extend(chains.iter().map(|chain| chain.source.clone()));
        // What two imports have in common goes to the one that wins.
        for chain in chains.iter_mut().rev() {
            chain.nested = nested(&graph, &chain.source, &mut seen);
        }
        Ok(chains)
    }

    /// All imports that can be reached from folders, level by level.
    async fn graph(&self, access: &ProjectAccess, start: &[Folder]) -> Result<Graph> {
        let mut graph = Graph::new();
        let mut level = start.to_vec();
        for _ in 0..MAX_DEPTH {
            let folders: Vec<_> = level.iter().map(|(env, path)| [&**env, &**path]).collect();
            let here = here(access);
            let rows = secret_imports::in_folders(&self.store, &here, &folders).await?;
            for folder in level.drain(..) {
                graph.entry(folder).or_default();
            }
            let mut next = HashSet::new();
            for row in rows {
                let source = (row.source_env_slug.clone(), row.source_path.clone());
                if !graph.contains_key(&source) {
                    next.insert(source.clone());
                }
                let environment =
                    environment_of(row.source_env_id, &row.source_env_name, &row.source_env_slug);
                let edge = Edge { position: row.position, source, environment };
                graph.entry((row.env_slug, row.path)).or_default().push(edge);
            }
            if next.is_empty() {
                break;
            }
            if graph.len() + next.len() > MAX_SOURCES + start.len() {
                let message = format!("Imports lead to more than {MAX_SOURCES} folders");
                return Err(Error::bad_request(message));
            }
            level = next.into_iter().collect();
        }
        for edges in graph.values_mut() {
            edges.sort_by_key(|edge| edge.position);
        }
        Ok(graph)
    }

    /// What the imports of folders bring in, with values.
    pub(crate) async fn imported(
        &self,
        place: &Place,
        paths: &[String],
    ) -> Result<Vec<SecretImport>> {
        let chains = self.chains(place, paths).await?;
        self.open_chains(&place.access, &chains, Show::Value).await
    }

    /// What imports bring in. A secret that the caller may not describe, or read where values are
    /// shown, is left out.
    pub(super) async fn open_chains(
        &self,
        access: &ProjectAccess,
        chains: &[Chain],
        show: Show,
    ) -> Result<Vec<SecretImport>> {
        let folders: HashSet<_> = chains.iter().flat_map(Chain::folders).collect();
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        let folders: Vec<_> = folders.into_iter().map(|(env, path)| [&**env, &**path]).collect();
        let rows = secrets::list_many(&self.store, &here(access), &folders).await?;
        let mut content: HashMap<Folder, (FolderId, Vec<SecretRow>)> = HashMap::new();
        for found in rows {
            let id = found.placed.folder_id;
            let (path, row) = found.placed.split();
            let entry = content.entry((found.environment, path));
            entry.or_insert_with(|| (id, Vec::new())).1.extend(row);
        }
        for (_, rows) in content.values_mut() {
            rows.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        }
        let content = self.open_content(access, content).await?;
        let labels = {
            let tagged = content.values().flat_map(|(_, secrets)| secrets.iter().map(Opened::tags));
            self.labels(&self.store, access, tagged).await?
        };
        let (mut imports, mut seen, mut bytes) = (Vec::with_capacity(chains.len()), 0, 0);
        for chain in chains {
            let mut import = chain.empty(content.get(&chain.source).map(|(id, _)| *id));
            let mut names = HashSet::new();
            for folder in chain.folders() {
                // A folder that two folders import directly is in both.
                let secrets = content.get(folder).map(|(_, secrets)| secrets.as_slice());
                for opened in secrets.unwrap_or_default() {
                    seen += 1;
                    if seen % access.rules.turn() == 0 {
                        tokio::task::yield_now().await;
                    }
                    let (name, tags) = (&opened.row.name, labels.slugs(opened.tags()));
                    if names.contains(name) || !is_shown(access, folder, name, &tags, show) {
                        continue;
                    }
                    names.insert(name.clone());
                    bytes += opened.row.sealed.len();
                    if bytes > MAX_IMPORTED {
                        return Err(Error::bad_request(format!(
                            "Imports bring in more than {MAX_IMPORTED} bytes; list the folders \
                             one by one, or without imports"
                        )));
                    }
                    let secret = show_in(access, folder, &labels, opened.clone(), show);
                    // Times belong to its own folder's answers.
                    import.secrets.push(Secret { created_at: None, updated_at: None, ..secret });
                }
            }
            imports.push(import);
        }
        Ok(imports)
    }

    async fn open_content(
        &self,
        access: &ProjectAccess,
        content: HashMap<Folder, (FolderId, Vec<SecretRow>)>,
    ) -> Result<HashMap<Folder, (FolderId, Vec<Opened>)>> {
        let (mut all, mut opened) = (HashMap::with_capacity(content.len()), 0);
        for (folder, (id, rows)) in content {
            let mut secrets = Vec::with_capacity(rows.len());
            for row in rows {
                opened += 1;
                if opened % access.rules.turn() == 0 {
                    tokio::task::yield_now().await;
                }
                if may_be_described(access, &folder, &row.name) {
                    secrets.push(Opened::open(access, row)?);
                }
            }
            all.insert(folder, (id, secrets));
        }
        Ok(all)
    }

    /// The secret of a name that a folder imports, and the import that brings it in: of what the
    /// caller may read, what wins.
    ///
    /// Where there is none, and the caller may not read everything that could have had it, the
    /// answer is no, whether it exists there or not.
    pub(super) async fn find_imported(
        &self,
        place: &Place,
        name: &str,
        show: Show,
    ) -> Result<Option<(Secret, Vec<Chain>, usize)>> {
        let chains = self.chains(place, &[place.path.as_str().to_owned()]).await?;
        let mut keys = Vec::new();
        let mut denied = false;
        for (index, chain) in chains.iter().enumerate().rev() {
            for folder in chain.folders() {
                if may_be_described(&place.access, folder, name) {
                    keys.push((index, folder));
                } else {
                    denied = true;
                }
            }
        }
        let names: Vec<_> = keys.iter().map(|(_, (env, path))| [env, path, name]).collect();
        let rows = secrets::find_many(&self.store, &here(&place.access), &names).await?;
        let mut found: HashMap<_, _> = HashMap::new();
        for row in rows {
            let (path, secret) = row.placed.split();
            if let Some(secret) = secret {
                found.insert((row.environment, path), Opened::open(&place.access, secret)?);
            }
        }
        let tagged = found.values().map(Opened::tags);
        let labels = self.labels(&self.store, &place.access, tagged).await?;
        let mut winner = None;
        for (index, folder) in keys {
            let opened = found.remove(folder);
            let tags = opened.as_ref().map(|opened| labels.slugs(opened.tags()));
            let shown = |tags: &[String], show| is_shown(&place.access, folder, name, tags, show);
            match (opened, tags) {
                (Some(opened), Some(tags)) if shown(&tags, show) => {
                    winner = Some((index, folder, opened));
                    break;
                }
                (Some(_), Some(tags)) if shown(&tags, Show::Mask) => denied = true,
                // What the caller may not know of is as if it were not there.
                _ => denied |= !shown(&[], show),
            }
        }
        let Some((index, folder, opened)) = winner else {
            return if denied { Err(forbidden(place, name)) } else { Ok(None) };
        };
        let secret = show_in(&place.access, folder, &labels, opened, show);
        Ok(Some((secret, chains, index)))
    }
}

impl Chain {
    /// Whether a list tells the caller of this import: to whoever may know of imports in the folder,
    /// and to whoever may know of secrets both there and at the source.
    pub(super) fn is_told(&self, place: &Place, import: &SecretImport) -> bool {
        let rules = &place.access.rules;
        let at = |environment, path| Attributes {
            environment: Some(environment),
            secret_path: Some(path),
            ..Attributes::default()
        };
        let here = at(&place.environment, &self.importer);
        let described =
            |at: &Attributes<'_>| rules.allows(Action::DescribeSecret, Subject::Secrets, at);
        let possible = |secret: &Secret| {
            let here = Attributes { secret_name: Some(&secret.secret_key), ..here };
            rules.may_allow(Action::DescribeSecret, Subject::Secrets, &here)
        };
        let (environment, path) = &self.source;
        rules.allows(Action::Read, Subject::SecretImports, &here)
            || (described(&here)
                && (!import.secrets.is_empty() || described(&at(environment, path))))
            || import.secrets.iter().any(possible)
    }

    fn empty(&self, folder_id: Option<FolderId>) -> SecretImport {
        SecretImport {
            secret_path: self.source.1.clone(),
            environment: self.source.0.clone(),
            environment_info: Some(self.environment.clone()),
            folder_id,
            secrets: Vec::new(),
        }
    }
}

/// The folders below an import that nobody has taken yet, what wins first.
fn nested(graph: &Graph, source: &Folder, seen: &mut HashSet<Folder>) -> Vec<Folder> {
    let mut found = Vec::new();
    let mut level = vec![source];
    // The import itself is the first level.
    for _ in 1..MAX_DEPTH {
        let mut next = Vec::new();
        for folder in level {
            for edge in graph.get(folder).into_iter().flatten().rev() {
                if seen.insert(edge.source.clone()) {
                    found.push(edge.source.clone());
                    next.push(&edge.source);
                }
            }
        }
        level = next;
    }
    found
}

fn here(access: &ProjectAccess) -> Here {
    Here { org: access.project.org_id, project: access.id(), owner: SHARED }
}

fn attributes<'a>((env, path): &'a Folder, name: &'a str, tags: &'a [String]) -> Attributes<'a> {
    Attributes {
        environment: Some(env),
        secret_path: Some(path),
        secret_name: Some(name),
        secret_tags: tags,
        ..Attributes::default()
    }
}

/// Whether the caller may know of a secret of this name if it has the right tags.
fn may_be_described(access: &ProjectAccess, folder: &Folder, name: &str) -> bool {
    let attributes = attributes(folder, name, &[]);
    access.rules.may_allow(Action::DescribeSecret, Subject::Secrets, &attributes)
}

fn is_shown(
    access: &ProjectAccess,
    folder: &Folder,
    name: &str,
    tags: &[String],
    show: Show,
) -> bool {
    let attributes = attributes(folder, name, tags);
    let allows = |action| access.rules.allows(action, Subject::Secrets, &attributes);
    allows(Action::DescribeSecret) && (show == Show::Mask || allows(Action::ReadValue))
}

/// An imported secret.
fn show_in(
    access: &ProjectAccess,
    (environment, path): &Folder,
    labels: &Labels,
    Opened { row, payload }: Opened,
    show: Show,
) -> Secret {
    Frame { access, environment, path, labels }.secret(row, payload, show)
}

fn forbidden(place: &Place, name: &str) -> Error {
    Error::Forbidden {
        name: "ForbiddenReadSecretError".into(),
        message: format!(
            "You are not allowed to read the secret '{name}' everywhere that path '{}' of \
             environment '{}' imports from",
            place.path, place.environment
        )
        .into(),
    }
}
