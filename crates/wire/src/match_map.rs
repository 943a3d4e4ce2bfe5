//! A match map: a picture of two photos in which the windows are joined that decided their score.
//!
//! [`Request::MatchMap`](crate::Request::MatchMap) brings both photos and goes the way of an embedding;
//! [`Reply::MatchMap`](crate::Reply::MatchMap) has the picture, or what is wrong with a photo.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PhotoRefusal;

/// One of a pair's photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The photo that is searched for; it stands on the left.
    Query,
    /// The catalogue's photo.
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
    /// A photo was refused; the query's where both would be.
    Refused(Side, PhotoRefusal),
}
