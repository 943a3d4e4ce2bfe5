//! Random SQL: every function, operator and cast of the extension with odd values, in odd plans.
//!
//! A run is a number of cases. A case is a few statements, made of the run's seed and its own number, so that it can be
//! made again alone. What must hold is in [`verdict`].

pub mod case;
pub mod catalogue;
pub mod define;
pub mod expression;
pub mod ground;
pub mod group;
pub mod model;
pub mod neighbour;
pub mod pool;
pub mod query;
pub mod raw;
pub mod report;
pub mod runner;
pub mod session;
pub mod setting;
pub mod source;
pub mod step;
pub mod tables;
pub mod value;
pub mod verdict;
pub mod watch;
pub mod wire;
pub mod words;
pub mod write;

use std::time::Duration;

use crate::shapes::Shapes;

/// What a run is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long it makes cases.
    pub time: Duration,
    /// What they are made of.
    pub seed: u64,
    /// The first case.
    pub first: u64,
    /// How many cases at most.
    pub cases: u64,
    /// Whether every statement is printed before it runs.
    pub verbose: bool,
    /// Whether another session changes definitions meanwhile: then a case made again may end otherwise.
    pub neighbour: bool,
    /// A function to which cases keep, by a part of its name.
    pub only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            seed: 1,
            first: 0,
            cases: u64::MAX,
            verbose: false,
            neighbour: false,
            only: None,
        }
    }
}

/// The numbers of one case.
pub fn numbers_of(seed: u64, case: u64) -> Shapes {
    // Seeds that lie side by side give numbers that do not.
    let mut first = Shapes::new(seed ^ case.wrapping_mul(0xd6e8_feb8_6659_fd93));
    Shapes::new(first.below(u64::MAX))
}
