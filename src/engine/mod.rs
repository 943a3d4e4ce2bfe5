//! The engine seen from the server: where it is met, who starts it, and how a backend asks it.

pub mod client;
pub mod connection;
mod log_forwarder;
pub mod run_folder;
mod start;
pub mod stat;
pub mod supervisor;
