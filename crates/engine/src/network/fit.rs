//! The model's words for what the photo crate does.

use grnet_core::config;

/// How a photo that is not square becomes one.
pub fn fit(fit: config::Fit) -> grnet_photo::Fit {
    match fit {
        config::Fit::Letterbox => grnet_photo::Fit::Letterbox,
        config::Fit::Stretch => grnet_photo::Fit::Stretch,
    }
}
