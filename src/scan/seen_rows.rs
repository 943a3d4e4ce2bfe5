//! Rows of a table that were read.

use std::collections::HashMap;

use crate::error::Error;
use crate::pg::custom_scan::slot::Row;

/// Where rows lie in their table: a bit for each, and 16 bytes for each 64 neighbours of a block.
#[derive(Debug, Default)]
pub struct SeenRows {
    known: HashMap<u64, u64>,
}

impl SeenRows {
    /// Notes a row, whose `ctid` is in `column`, counted from 0. True if it is new.
    pub fn note(&mut self, row: Row<'_>, column: usize) -> bool {
        let (part, bit) = part(row, column);
        if self.known.try_reserve(1).is_err() {
            Error::NoMemory { bytes: 2 * self.known.capacity() * size_of::<(u64, u64)>() }.raise();
        }
        let bits = self.known.entry(part).or_default();
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }

    /// Whether a row was noted.
    pub fn has(&self, row: Row<'_>, column: usize) -> bool {
        let (part, bit) = part(row, column);
        self.known.get(&part).is_some_and(|bits| bits & bit != 0)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known = HashMap::new();
    }
}

/// 64 neighbours of a block, and which of them a row is.
fn part(row: Row<'_>, column: usize) -> (u64, u64) {
    let (block, number) = row.identity(column);
    (u64::from(block) << 10 | u64::from(number >> 6), 1 << (number & 63))
}
