//! Images that call-site caches compare theirs with: one copy a backend, however many places hold it, and within a bound.
//!
//! 150 calls of `grnet_embed(image)` in a SELECT are 150 places, each of which must know the image again in the next row.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use grnet_features::value::ImageDigest;

use crate::error::Error;
use crate::pg::datum::Detoasted;

/// Bytes of images that a backend keeps, unless one alone has more. What does not fit is known by its digest: a place then
/// hashes each row's image (4 ms for 8 MB) instead of comparing it (1 ms).
const MOST: usize = 64 << 20;

thread_local! {
    /// The images that places hold now.
    static HELD: RefCell<Vec<Weak<Vec<u8>>>> = const { RefCell::new(Vec::new()) };
}

/// An image as a place remembers it.
pub enum Known {
    /// Its bytes, shared by all places that remember them.
    Bytes(Rc<Vec<u8>>),
    /// Their digest.
    Digest(ImageDigest),
}

impl Known {
    /// Remembers an image.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn of(image: &Detoasted<'_>) -> Result<Self, Error> {
        HELD.with_borrow_mut(|held| {
            held.retain(|image| image.strong_count() > 0);
            let images = || held.iter().filter_map(Weak::upgrade);
            if let Some(same) = images().find(|image| ***image == **image) {
                return Ok(Self::Bytes(same));
            }
            let sum: usize = images().map(|image| image.len()).sum();
            if sum > 0 && sum.saturating_add(image.len()) > MOST {
                return Ok(Self::Digest(ImageDigest::of(image, None)));
            }
            let bytes = Rc::new(image.copy()?);
            held.push(Rc::downgrade(&bytes));
            Ok(Self::Bytes(bytes))
        })
    }

    /// Whether it is this image.
    pub fn is(&self, image: &[u8]) -> bool {
        match self {
            Self::Bytes(bytes) => ***bytes == *image,
            Self::Digest(digest) => *digest == ImageDigest::of(image, None),
        }
    }
}
