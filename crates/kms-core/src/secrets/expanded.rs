//! Answers with their references expanded.

use std::collections::HashMap;

use kms_api::{
    SecretValue,
    secrets::{Secret, SecretImport},
};
use kms_store::secrets::SHARED;

use super::{
    Skin,
    answer::Reach,
    imported::Chain,
    references::{At, Home, Known, Outcome, Overlay, Root, Whole, multiline, scan::has_references},
};
use crate::{Core, Error, Result, place::Place};

/// Refusals that are told in one answer.
const MAX_TOLD: usize = 100;

impl Core {
    /// Expands the references of one secret and says how many others were read for it.
    pub(super) async fn expand_one(
        &self,
        place: &Place,
        reach: Reach,
        secret: &mut Secret,
        overlay: Option<&Overlay<'_>>,
    ) -> Result<usize> {
        if !reach.expand || !refers(secret) {
            return Ok(0);
        }
        let mut known = Known::new(&place.access, reach.owner);
        let root = root(secret, overlay);
        let outcome = self.expand_all(&mut known, &[root]).await?.pop();
        let read = known.read();
        match outcome {
            Some(Outcome::Denied(message)) => return Err(Error::forbidden(message)),
            Some(Outcome::Expanded(value)) => put(secret, value),
            Some(Outcome::Unchanged) | None => {}
        }
        Ok(read)
    }

    /// Expands the references of a list and says how many secrets elsewhere were read for it. An
    /// imported secret whose references the caller may not follow stays as it is stored.
    pub(super) async fn expand_list(
        &self,
        place: &Place,
        reach: Reach,
        (chains, whole): (&[Chain], Whole<'_>),
        secrets: &mut [Secret],
        imports: &mut [SecretImport],
    ) -> Result<usize> {
        if !secrets.iter().chain(within(imports)).any(refers) {
            return Ok(0);
        }
        let mut known = Known::new(&place.access, reach.owner);
        known.whole(whole);
        // A user's overrides elsewhere are not in the answer, so the database is asked.
        let elsewhere = within(imports).filter(|_| reach.owner == SHARED);
        for secret in elsewhere.chain(secrets.iter()) {
            // In a list of both, the override comes last.
            if !secret.secret_value_hidden {
                known.shown(at(secret), &secret.secret_value);
            }
        }
        let overlays = overlays(place, reach, chains, imports);
        let own = secrets.iter().map(|secret| root(secret, None));
        let theirs = within(imports).map(|secret| root(secret, overlays.get(&at(secret).home)));
        let roots: Vec<_> = own.chain(theirs).collect();
        let mut outcomes = self.expand_all(&mut known, &roots).await?.into_iter();
        let read = known.read();
        drop((known, roots));
        drop(overlays);
        let mut denied = Vec::new();
        for (secret, outcome) in secrets.iter_mut().zip(outcomes.by_ref()) {
            match outcome {
                Outcome::Expanded(value) => put(secret, value),
                Outcome::Denied(message) if denied.len() < MAX_TOLD => denied.push(message),
                Outcome::Denied(_) | Outcome::Unchanged => {}
            }
        }
        if !denied.is_empty() {
            return Err(Error::References(denied));
        }
        let imported = imports.iter_mut().flat_map(|import| &mut import.secrets);
        for (secret, outcome) in imported.zip(outcomes) {
            if let Outcome::Expanded(value) = outcome {
                put(secret, value);
            }
        }
        Ok(read)
    }
}

/// Where v4 looks for a name that an imported secret refers to, before the folder it is from: in
/// the folder that imports, then in what that imports itself, what wins first.
pub(super) fn searched_first<'a>(place: &'a Place, chains: &'a [Chain]) -> Vec<Home<'a>> {
    let here = Home { environment: &place.environment, path: place.path.as_str() };
    let direct = chains
        .iter()
        .rev()
        .map(|chain| Home { environment: &chain.source.0, path: &chain.source.1 });
    std::iter::once(here).chain(direct).collect()
}

fn overlays<'a>(
    place: &'a Place,
    reach: Reach,
    chains: &'a [Chain],
    imports: &'a [SecretImport],
) -> HashMap<Home<'a>, Overlay<'a>> {
    let homes = within(imports).filter(|_| reach.skin == Skin::V4).map(|secret| at(secret).home);
    let mut overlays = HashMap::new();
    for of in homes {
        overlays.entry(of).or_insert_with(|| Overlay { of, first: searched_first(place, chains) });
    }
    overlays
}

fn within(imports: &[SecretImport]) -> impl Iterator<Item = &Secret> {
    imports.iter().flat_map(|import| &import.secrets)
}

fn refers(secret: &Secret) -> bool {
    !secret.secret_value_hidden && has_references(secret.secret_value.expose())
}

fn at(secret: &Secret) -> At<'_> {
    let path = secret.secret_path.as_deref().unwrap_or("/");
    At::new(&secret.environment, path, &secret.secret_key)
}

fn root<'a>(secret: &'a Secret, overlay: Option<&'a Overlay<'a>>) -> Root<'a> {
    Root { at: at(secret), value: &secret.secret_value, overlay }
}

fn put(secret: &mut Secret, value: SecretValue) {
    secret.secret_value = match secret.skip_multiline_encoding {
        Some(true) => multiline(value.expose().to_owned()).into(),
        _ => value,
    };
}
