//! Throwaway PostgreSQL clusters for tests, benchmarks and the demo.
//!
//! A [`Cluster`] listens on a Unix socket only and lies in one folder that is removed when it is dropped. A server
//! refuses to run as root: called as root, everything of the server's runs as `nobody`, and the folder is closed to
//! everyone else, since whoever reaches the socket is superuser.
//!
//! ```no_run
//! # fn main() -> Result<(), grnet_cluster::Error> {
//! let cluster = grnet_cluster::Cluster::builder()
//!     .pg_config("/usr/lib/postgresql/15/bin/pg_config")
//!     .preload(true)
//!     .setting("max_connections", 60)
//!     .start()?;
//! let row = cluster.connect()?.query_one("SELECT version()", &[])?;
//! println!("{}", row.get::<_, String>(0));
//! # Ok(())
//! # }
//! ```

mod builder;
mod cluster;
mod error;
mod folder;
mod installation;
pub mod process;
mod user;

pub use builder::Builder;
pub use cluster::{Cluster, Mode};
pub use error::Error;
pub use installation::Installation;
pub use user::run_as_server_user;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;
