//! Who computes: one thread, or several that share an image.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads that do pieces of work side by side.
pub trait ThreadPool: Sync {
    /// How many there are, at least 1.
    fn threads(&self) -> usize;

    /// Does each of the pieces `0..pieces` once, on any thread; returns when all are done.
    fn each(&self, pieces: usize, work: &(dyn Fn(usize) + Sync));
}

/// Has each chunk of `out` made by the pool: `work` is given its number and the chunk.
pub fn chunks(pool: &dyn ThreadPool, out: &mut [f32], size: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let chunks: Vec<Mutex<&mut [f32]>> = out.chunks_mut(size).map(Mutex::new).collect();
    // Each lock is taken once: it hands a chunk to the thread that makes it.
    pool.each(chunks.len(), &|number| work(number, &mut locked(&chunks[number])));
}

/// What a lock guards, whatever became of who held it.
pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
