//! All connections, so that idle ones make room for new ones.
//!
//! A backend keeps its connection between two calls, which saves it a handshake and is no right: of a thousand pooled
//! sessions that each embedded once, most are idle. One whose connection was closed meanwhile opens another.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::client::Client;

/// Connections that were used in this time are not taken for idle.
const REST: Duration = Duration::from_millis(200);

/// The connections that have shaken hands.
#[derive(Debug, Default)]
pub struct Clients(Mutex<Vec<Weak<Client>>>);

impl Clients {
    /// Adds a connection; it is forgotten when its session ends.
    pub fn add(&self, client: &Arc<Client>) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| client.strong_count() > 0);
        clients.push(Arc::downgrade(client));
    }

    /// Closes the connection that has been idle for longest; false where none is.
    pub fn close_idlest(&self) -> bool {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = clients.iter().filter_map(Weak::upgrade).filter(|client| !client.is_gone());
        let idlest = idle.filter_map(|client| Some((client.idle()?, client))).max_by_key(|(time, _)| *time);
        match idlest {
            Some((time, client)) if time > REST => {
                client.close();
                true
            }
            _ => false,
        }
    }
}
