//! Who refers to a secret, as a tree.
//!
//! References are in sealed values, so every value of the project that the caller may read is
//! opened and read through: one statement, and work in proportion to the project.

use std::collections::{HashMap, HashSet};

use kms_api::secrets::{GetSecretQuery, ReferenceNode, ReferenceTreeResponse};
use kms_store::secrets::{self, FoundRow};

use super::{
    At,
    expand::{Budget, MAX_DEPTH, Stop},
    known::too_much,
    scan::references,
    tree::leaf,
};
use crate::{
    Caller, Core, Result,
    access::{Action, Attributes, Subject},
    place::Place,
    secrets::{Opened, view::Show, wanted_name},
};

/// Secrets opened at one go, before others get their turn on the thread.
const TURN: usize = 256;

/// Environment, path and name.
type Key = [String; 3];

impl Core {
    /// Shows which secrets refer to a secret, and which to those. Of others only those appear
    /// whose values the caller may read; values are not shown.
    pub async fn get_reference_dependents(
        &self,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<ReferenceTreeResponse> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        let row = self.find_readable(&place, name, Show::Mask).await?.row;
        let turn = self.whole_project().await?;
        let (org, project) = (place.access.project.org_id, place.access.id());
        let rows = secrets::list_project(&self.store, org, project).await?;
        let dependents = self.dependents(&place, rows).await?;
        drop(turn);
        let root = [place.environment.clone(), place.path.as_str().to_owned(), name.to_owned()];
        let mut walk = Walk { dependents, budget: Budget::of_tree(), chain: Vec::new() };
        let tree = walk.node(&root).map_err(|_| too_much())?;
        let event = place
            .event("get-secret-reference-dependency-tree")
            .key(name)
            .details([("secretId", row.id.to_string().into())]);
        self.log_read(caller, &event).await?;
        Ok(ReferenceTreeResponse { tree, value: None })
    }
}

impl Core {
    /// For every secret those that refer to it.
    async fn dependents(
        &self,
        place: &Place,
        rows: Vec<FoundRow>,
    ) -> Result<HashMap<Key, Vec<Key>>> {
        let mut opened = Vec::with_capacity(rows.len());
        let mut names = HashSet::with_capacity(rows.len());
        for (index, FoundRow { environment, placed }) in rows.into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let (path, Some(row)) = placed.split() else { continue };
            let key = [environment, path, row.name.clone()];
            opened.push((key.clone(), Opened::open(&place.access, row)?));
            names.insert(key);
        }
        let tagged = opened.iter().map(|(_, opened)| opened.tags());
        let labels = self.labels(&self.store, &place.access, tagged).await?;
        let turn = place.access.rules.turn();
        let mut read = Vec::with_capacity(opened.len());
        for (index, (key, opened)) in opened.into_iter().enumerate() {
            if index % turn == turn - 1 {
                tokio::task::yield_now().await;
            }
            if may_read(place, &key, &labels.slugs(opened.tags())) {
                read.push((key, opened.payload.value));
            }
        }
        let mut dependents: HashMap<Key, Vec<Key>> = HashMap::new();
        for (key, value) in &read {
            let [environment, path, _] = key;
            let mut targets = HashSet::new();
            for reference in references(value.expose()) {
                let local = [environment.clone(), path.clone(), reference.text.to_owned()];
                let target = reference
                    .target()
                    .map(|to| [to.environment.to_owned(), to.path, to.key.to_owned()]);
                // As in an expansion, a name with dots that exists in the folder is that name.
                targets.insert(if names.contains(&local) {
                    local
                } else {
                    target.unwrap_or(local)
                });
            }
            for target in targets {
                dependents.entry(target).or_default().push(key.clone());
            }
        }
        for keys in dependents.values_mut() {
            keys.sort_unstable();
        }
        Ok(dependents)
    }
}

fn may_read(place: &Place, [environment, path, name]: &Key, tags: &[String]) -> bool {
    let attributes = Attributes {
        environment: Some(environment),
        secret_path: Some(path),
        secret_name: Some(name),
        secret_tags: tags,
        ..Attributes::default()
    };
    let allows = |action| place.access.rules.allows(action, Subject::Secrets, &attributes);
    allows(Action::DescribeSecret) && allows(Action::ReadValue)
}

struct Walk {
    dependents: HashMap<Key, Vec<Key>>,
    budget: Budget,
    chain: Vec<Key>,
}

impl Walk {
    fn node(&mut self, key: &Key) -> Result<ReferenceNode, Stop> {
        self.budget.step()?;
        let [environment, path, name] = key;
        let mut node = leaf(At::new(environment, path, name));
        if self.chain.len() <= MAX_DEPTH && !self.chain.contains(key) {
            self.chain.push(key.clone());
            for dependent in self.dependents.get(key).cloned().unwrap_or_default() {
                node.children.push(self.node(&dependent)?);
            }
            self.chain.pop();
        }
        Ok(node)
    }
}
