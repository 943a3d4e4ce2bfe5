//! What a command writes: files that appear whole, words, progress, charts, and lines of words on pictures.

pub mod atomic_file;
pub mod chart;
pub mod lettering;
pub mod print;
pub mod progress;
