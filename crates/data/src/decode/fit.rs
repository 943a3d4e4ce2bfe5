//! The model's words for what the image crate does.

use grnet_features::config;

/// How an image that is not square becomes one.
pub fn fit(fit: config::Fit) -> grnet_image::Fit {
    match fit {
        config::Fit::Letterbox => grnet_image::Fit::Letterbox,
        config::Fit::Stretch => grnet_image::Fit::Stretch,
    }
}
