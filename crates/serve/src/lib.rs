//! The server: images of all sessions through one network.
//!
//! ```text
//! listener ─▶ session (a reading thread each) ─▶ queue ─▶ decoders ─▶ inbox ─▶ model thread
//!                ▲                                             refused images │ features
//!                └── client (a writing thread each) ◀── pending, answered once ◀──┘
//! ```
//!
//! A match map goes the same way with two images; once both have features it waits in the queue again, for a decoder to
//! draw it.

pub mod args;
mod batcher;
mod budget;
mod client;
mod clients;
mod counters;
mod decode;
mod draw;
pub mod end;
pub mod error;
mod fence;
mod guarded;
mod images;
mod inbox;
pub mod jobs;
mod listener;
mod log;
mod match_map;
mod models;
mod parent_watch;
mod pending;
pub mod ports;
mod queue;
pub mod run;
pub mod server;
mod session;
pub mod settings;
mod shared;
mod socket;
mod torch;

pub use error::ServeError;
