//! What the server's threads share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::budget::Budget;
use crate::clients::Clients;
use crate::counters::Counters;
use crate::inbox::Inbox;
use crate::jobs::registry::Jobs;
use crate::models::Shapes;
use crate::queue::Queue;
use crate::settings::Limits;

/// What the server's threads share.
pub struct Shared {
    pub queue: Queue,
    pub inbox: Inbox,
    pub shapes: Shapes,
    pub clients: Clients,
    pub counters: Arc<Counters>,
    pub budget: Budget,
    pub jobs: Arc<Jobs>,
    pub limits: Limits,
    pub device: String,
    pub precision: String,
    pub fence: String,
    pub stopped: AtomicBool,
}
