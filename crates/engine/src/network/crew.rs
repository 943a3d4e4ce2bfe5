//! The threads that networks without libtorch run on.

use std::sync::OnceLock;

use grnet_core::kernel::convolve::Crew;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::device::cores;

/// The process's pool, made when it is needed first; `None` where the system has no thread.
static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();

fn pool() -> Option<&'static ThreadPool> {
    // A system that has not as many has perhaps fewer.
    let made = |threads| ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "network".into()).build().ok();
    let fewer = |threads: &usize| (*threads > 1).then_some(threads / 2);
    POOL.get_or_init(|| std::iter::successors(Some(cores().max(1)), fewer).find_map(made)).as_ref()
}

/// Runs work on the pool's threads, with their number; alone where there are none.
pub fn spread<T: Send>(work: impl FnOnce(usize) -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(|| work(pool.current_num_threads())),
        None => work(1),
    }
}

/// So many of the pool's threads; work within [`spread`].
#[derive(Debug, Clone, Copy)]
pub struct Threads(pub usize);

impl Crew for Threads {
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
