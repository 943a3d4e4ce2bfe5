//! The engine of grnet_pg: photos in, region features out.

pub mod augment;
mod chart;
pub mod cli;
pub mod dataset;
pub mod embed;
pub mod evaluate;
pub mod export;
pub mod import;
mod lettering;
mod maps;
pub mod matchmap;
pub mod network;
pub mod numbers;
mod output;
pub mod print;
pub mod progress;
pub mod quantize;
pub mod serve;
pub mod train;
mod worker;
