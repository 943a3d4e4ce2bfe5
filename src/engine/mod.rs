//! The engine seen from the server: where it is met, who starts it, and how a backend asks it.

pub mod client;
pub mod connection;
pub mod place;
mod start;
pub mod study;
pub mod supervisor;
mod words;
