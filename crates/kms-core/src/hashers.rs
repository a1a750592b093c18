//! The threads that hash passwords.
//!
//! They are as many as may hash at one time, and nothing else runs on them: an allocator keeps for
//! each thread what that thread gave back, so hashes spread over the runtime's many threads for
//! blocking work would hold 19 MiB for each of them (attack H10).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

use crate::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// The threads; they end when this is dropped.
pub(crate) struct Hashers(mpsc::Sender<Job>);

impl Hashers {
    pub(crate) fn start(count: usize) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name("kms-password".into());
            thread.spawn(move || work(&queue)).expect("there is a thread to be had at the start");
        }
        Self(jobs)
    }

    /// Runs a job on the next thread that is free. The job ends also when nobody waits any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (done, result) = oneshot::channel();
        // Nobody waits any more where the answer is not taken.
        let job = move || drop(done.send(job()));
        self.0.send(Box::new(job)).map_err(|_| Error::Internal("no hasher is left".into()))?;
        result.await.map_err(|error| Error::Internal(Box::new(error)))
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Whoever waits hears of a panic by an answer that never comes.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_fails_alone() {
        let hashers = Hashers::start(1);
        assert!(hashers.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(hashers.run(|| 7).await.unwrap(), 7);
    }
}
