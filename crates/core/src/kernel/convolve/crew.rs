//! Who computes: one thread, or several that share a photo.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads that do pieces of work side by side.
pub trait Crew: Sync {
    /// How many there are, at least 1.
    fn threads(&self) -> usize;

    /// Does each of the pieces `0..pieces` once, on any thread; returns when all are done.
    fn each(&self, pieces: usize, work: &(dyn Fn(usize) + Sync));
}

/// Has each chunk of `out` made by the crew: `work` is given its number and the chunk.
pub fn chunks(crew: &dyn Crew, out: &mut [f32], size: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let chunks: Vec<Mutex<&mut [f32]>> = out.chunks_mut(size).map(Mutex::new).collect();
    // Each lock is taken once: it hands a chunk to the thread that makes it.
    crew.each(chunks.len(), &|number| work(number, &mut locked(&chunks[number])));
}

/// What a lock guards, whatever became of who held it.
pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
