//! What a secret refers to, as a tree.

use kms_api::{
    SecretValue,
    secrets::{GetSecretQuery, ReferenceNode, ReferenceTreeResponse},
};
use kms_store::secrets::SHARED;

use super::{
    At, Known, Outcome, Root,
    expand::{Budget, Found, Lookup, MAX_DEPTH, Stop},
    known::{Finder, Missing, too_much},
    multiline,
    scan::references,
};
use crate::{
    Caller, Core, Error, Result,
    secrets::{Opened, view::Show, wanted_name},
};

impl Core {
    /// Shows which secrets a secret refers to, and its value with what they hold.
    pub async fn get_reference_tree(
        &self,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<ReferenceTreeResponse> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        let Opened { row, payload } = self.find_readable(&place, name, Show::Value).await?;
        let value = payload.value;
        let at = At::new(&place.environment, place.path.as_str(), name);
        let owner = caller.actor.user().map_or(SHARED, |user| user.id.uuid());
        let mut known = Known::new(&place.access, owner);
        let root = Root { at, value: &value, overlay: None };
        let expanded = match self.expand_all(&mut known, &[root]).await?.pop() {
            Some(Outcome::Denied(message)) => return Err(Error::forbidden(message)),
            Some(Outcome::Expanded(value)) if row.skip_multiline_encoding == Some(true) => {
                multiline(value.expose().to_owned()).into()
            }
            Some(Outcome::Expanded(value)) => value,
            Some(Outcome::Unchanged) | None => value.clone(),
        };
        let tree = tree_of(&known, at, &value).map_err(|_| too_much())?;
        let event = place.event("get-secret-reference-tree").key(name).details([
            ("secretId", row.id.to_string().into()),
            ("numberOfReferencedSecrets", known.read().into()),
        ]);
        self.log_read(caller, &event).await?;
        Ok(ReferenceTreeResponse { tree, value: Some(expanded) })
    }
}

/// The tree of a value whose references have been looked up.
fn tree_of(known: &Known<'_>, at: At<'_>, value: &SecretValue) -> Result<ReferenceNode, Stop> {
    let mut missing = Missing::default();
    let finder = Finder::new(known, None, &mut missing);
    Tree { finder: &finder, budget: Budget::of_tree(), chain: Vec::new() }.node(at, value)
}

struct Tree<'t> {
    finder: &'t Finder<'t>,
    budget: Budget,
    chain: Vec<At<'t>>,
}

impl<'t> Tree<'t> {
    fn node(&mut self, at: At<'t>, value: &SecretValue) -> Result<ReferenceNode, Stop> {
        let mut node = leaf(at);
        self.budget.step()?;
        self.budget.take(value.expose().len())?;
        if self.chain.len() <= MAX_DEPTH && !self.chain.contains(&at) {
            self.chain.push(at);
            for reference in references(value.expose()) {
                match self.finder.find(at.home, &reference) {
                    Found::Value(at, raw) => node.children.push(self.node(at, &raw.into())?),
                    Found::Missing | Found::Unknown | Found::Denied => {
                        self.budget.step()?;
                        node.children.extend(match reference.target() {
                            Some(to) => Some(leaf(At::new(to.environment, &to.path, to.key))),
                            None if reference.text.contains('.') => None,
                            None => Some(leaf(At { home: at.home, name: reference.text })),
                        });
                    }
                }
            }
            self.chain.pop();
        }
        node.value = Some(value.clone());
        Ok(node)
    }
}

/// A secret without a value and without what follows from it.
pub(super) fn leaf(at: At<'_>) -> ReferenceNode {
    ReferenceNode {
        key: at.name.to_owned(),
        value: None,
        environment: at.home.environment.to_owned(),
        secret_path: at.home.path.to_owned(),
        children: Vec::new(),
    }
}
