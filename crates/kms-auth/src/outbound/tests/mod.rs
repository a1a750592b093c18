//! Attacks X1 to X4 and C11 on the way out.

mod addresses;
mod calls;
mod certificates;

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;

/// A resolver that answers each question from a list, over and over, and counts.
#[derive(Clone)]
pub(super) struct Answers {
    lists: Arc<[Vec<IpAddr>]>,
    asked: Arc<AtomicUsize>,
}

impl Answers {
    pub(super) fn new(lists: Vec<Vec<IpAddr>>) -> Self {
        Self { lists: lists.into(), asked: Arc::default() }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let list = self.lists[asked % self.lists.len()].clone();
        Box::pin(async move {
            if list.is_empty() { Err(io::Error::other("no such name")) } else { Ok(list) }
        })
    }
}

/// A GET.
pub(super) fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).unwrap()
}
