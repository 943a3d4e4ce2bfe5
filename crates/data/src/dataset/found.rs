//! What a reader found at a source.

use crate::dataset::image::Image;

/// Images, and what is to be said about them.
#[derive(Debug, Default)]
pub struct Found {
    /// The images.
    pub images: Vec<Image>,
    /// Lines for the standard error stream: what was left out or taken otherwise, counted, each with its first case.
    pub warnings: Vec<String>,
}

/// Cases of one kind: how many, and the first.
#[derive(Debug, Default)]
pub struct Cases {
    count: usize,
    first: String,
}

impl Cases {
    /// Counts a case.
    pub fn add(&mut self, case: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = case();
        }
        self.count += 1;
    }

    /// `3 of 500 <what>, the first is <case>`; nothing where there is no case.
    pub fn told(&self, of: usize, what: &str) -> Option<String> {
        (self.count > 0).then(|| format!("{} of {of} {what}, the first is {}", self.count, self.first))
    }
}
