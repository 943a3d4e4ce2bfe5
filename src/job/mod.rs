//! Trainings and evaluations through SQL: jobs of the engine that run beside serving.

mod connection;
mod evaluate;
mod images;
mod progress;
mod train;
