//! What can be wrong with a value or a model, with the figures.

use thiserror::Error;

/// A feature value that cannot be read or made.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FeatureError {
    /// Fewer bytes than a header.
    #[error("features are {got} bytes long, a header alone takes {header}")]
    TooShort {
        /// Bytes given.
        got: usize,
        /// Bytes of a header.
        header: usize,
    },
    /// A version this code does not know.
    #[error("features have version {0}, this version of grnet_pg reads version 1")]
    Version(u8),
    /// A type of number this code does not know.
    #[error("features have number type {0}, known are 0 (f32), 1 (f16) and 2 (i8)")]
    Dtype(u8),
    /// No number type has this name.
    #[error("features are stored as f32, f16 or i8, not as `{0}`")]
    DtypeName(String),
    /// A header field that contradicts another.
    #[error("features have an invalid header: {0}")]
    Header(&'static str),
    /// Header and length disagree.
    #[error("features are {got} bytes long, their header asks for {expected}")]
    Length {
        /// Bytes given.
        got: usize,
        /// Bytes the header asks for.
        expected: usize,
    },
    /// A NaN or an infinity.
    #[error("features have a value that is not finite in region {region}")]
    NotFinite {
        /// The region, counted from 0.
        region: usize,
    },
    /// A value that half precision cannot hold.
    #[error("value {value} in region {region} is beyond half precision's largest, 65504")]
    Range {
        /// The value.
        value: f32,
        /// The region, counted from 0.
        region: usize,
    },
    /// The wrong number of values for a model's pyramid.
    #[error("{got} values given, the model's pyramid has {regions} regions of {channels} channels")]
    Count {
        /// Values given.
        got: usize,
        /// Regions M of the pyramid.
        regions: usize,
        /// Channels C.
        channels: usize,
    },
    /// The text form does not start as it should or is not base64.
    #[error("features in text form are `grnet1:` and base64: {0}")]
    Text(&'static str),
}

/// A model file that cannot be read.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ModelError {
    /// The file is not safetensors.
    #[error("not a safetensors file: {0}")]
    Container(String),
    /// No `grnet` entry in the header's metadata.
    #[error("the file's header has no `grnet` entry with the model's configuration")]
    NoConfig,
    /// The configuration is not the JSON this version expects.
    #[error("the model's configuration cannot be read: {0}")]
    Json(String),
    /// A field outside its limits.
    #[error("the model's {field} is {got}, allowed is {allowed}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// Its value.
        got: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A tensor that must be there and is not.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// A tensor of another shape than the configuration asks for.
    #[error("tensor `{name}` has shape {got:?}, the configuration asks for {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shape the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor of a type that is not read here.
    #[error("tensor `{name}` has type {got}, known are F32 and F16")]
    Dtype {
        /// The tensor's name.
        name: String,
        /// Its type.
        got: String,
    },
    /// A NaN or an infinity among the weights.
    #[error("tensor `{0}` has a value that is not finite")]
    NotFinite(String),
}
