//! A match map: a picture of two images in which the windows are joined that decided their score.
//!
//! [`Request::MatchMap`](crate::Request::MatchMap) brings both images and goes the way of an embedding;
//! [`Reply::MatchMap`](crate::Reply::MatchMap) has the picture, or what is wrong with an image.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ImageRefusal;

/// One of a pair's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The image that is searched for; it stands on the left.
    Query,
    /// The catalogue's image.
    Item,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "query",
            Self::Item => "item",
        })
    }
}

/// What became of a match map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Drawing {
    /// The bytes of a PNG.
    Png(#[serde(with = "serde_bytes")] Vec<u8>),
    /// An image was refused; the query's where both would be.
    Refused(Side, ImageRefusal),
}
