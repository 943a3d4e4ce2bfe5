//! The threads that networks without libtorch run on.

use std::sync::OnceLock;

use grnet_backbone::ThreadPool;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::device::cores;

/// The process's pool, of [`share_cores`](crate::device::share_cores)' number; made when it is needed first.
static POOL: OnceLock<rayon::ThreadPool> = OnceLock::new();

/// The pool; `None` while the system has no thread for it.
fn pool() -> Option<&'static rayon::ThreadPool> {
    if POOL.get().is_none() {
        // A system that has not as many has perhaps fewer.
        let made = |threads| ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "network".into()).build();
        let fewer = |threads: &usize| (*threads > 1).then_some(threads / 2);
        let pool = std::iter::successors(Some(cores().max(1)), fewer).find_map(|threads| made(threads).ok())?;
        // Another thread may have been faster: then this one's pool ends here.
        drop(POOL.set(pool));
    }
    POOL.get()
}

/// Runs work on the pool's threads, with their number; with 1 where there is none, and then nothing in it may be
/// rayon's.
pub fn spread<T: Send>(work: impl FnOnce(usize) -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(|| work(pool.current_num_threads())),
        None => work(1),
    }
}

/// Cuts work for so many threads, within [`spread`]; the whole pool does it. 1: the calling thread does it.
#[derive(Debug, Clone, Copy)]
pub struct Threads(pub usize);

impl ThreadPool for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn each(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        match self.0 {
            1 => (0..pieces).for_each(work),
            _ => (0..pieces).into_par_iter().for_each(work),
        }
    }
}
