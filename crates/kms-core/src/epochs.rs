//! When memory is stale.
//!
//! The embedded server is the only owner of its data and may answer from memory. Everything it
//! remembers carries the epoch that was read *before* the data was; every write raises the epoch
//! after it is durable and before its caller hears of it. So what is remembered under the current
//! epoch is what is stored. Other engines never remember.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use kms_api::ProjectId;

#[derive(Default)]
pub(crate) struct Epochs {
    rights: AtomicU64,
    projects: RwLock<HashMap<ProjectId, Arc<AtomicU64>>>,
}

impl Epochs {
    /// Of everything that decides who may: identities, memberships, roles, tokens, organizations.
    pub(crate) fn rights(&self) -> u64 {
        self.rights.load(Ordering::Acquire)
    }

    pub(crate) fn raise_rights(&self) {
        self.rights.fetch_add(1, Ordering::AcqRel);
    }

    /// Of what a project holds: environments, folders, secrets.
    pub(crate) fn project(&self, project: ProjectId) -> u64 {
        let projects = self.projects.read().unwrap_or_else(PoisonError::into_inner);
        projects.get(&project).map_or(0, |epoch| epoch.load(Ordering::Acquire))
    }

    pub(crate) fn raise_project(&self, project: ProjectId) {
        let mut projects = self.projects.write().unwrap_or_else(PoisonError::into_inner);
        projects.entry(project).or_default().fetch_add(1, Ordering::AcqRel);
    }
}
