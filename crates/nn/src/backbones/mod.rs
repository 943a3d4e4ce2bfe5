//! The networks that a model may have in front of its pyramid.

mod direct;
mod efficientnet;
mod googlenet;
pub mod load;
mod mobilenet;
mod patches;
mod resnet;
mod torchscript;
