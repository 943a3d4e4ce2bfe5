//! The server over real Unix sockets and threads, with a network and a decoder made for the test.

#[path = "serve/client.rs"]
mod client;
#[path = "serve/fixture.rs"]
mod fixture;

#[path = "serve/batching.rs"]
mod batching;
#[path = "serve/fairness.rs"]
mod fairness;
#[path = "serve/faults.rs"]
mod faults;
#[path = "serve/handshake.rs"]
mod handshake;
#[path = "serve/limits.rs"]
mod limits;
#[path = "serve/match_map.rs"]
mod match_map;
#[path = "serve/models.rs"]
mod models;
