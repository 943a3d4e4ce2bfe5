//! The engine of grnet_pg: photos in, region features out.

pub mod cli;
pub mod embed;
pub mod import;
pub mod network;
mod output;
pub mod print;
pub mod serve;
pub mod train;
