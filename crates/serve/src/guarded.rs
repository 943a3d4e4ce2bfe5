//! Work whose panic is the trouble of whoever asked for it, and nobody else's.

use std::panic::{AssertUnwindSafe, catch_unwind};

use grnet_wire::{ImageFault, ImageRefusal};

use crate::log::log_event;

/// A panic in such work, above all in the code around libtorch, is the trouble of whoever asked for it: the engine and
/// its other models live on.
pub fn contained<T>(what: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(format!("{what} panicked: {}", text.lines().next().unwrap_or_default()))
    })
}

/// A decoder's panic is the image's fault: the worker lives on, and so do the images beside it.
pub fn decoded<T>(bytes: &[u8], decode: impl FnOnce() -> Result<T, ImageRefusal>) -> Result<T, ImageRefusal> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        log_event!("a decoder panicked over an image of {} bytes; it counts as a bad image", bytes.len());
        Err(bad_image("the image's decoder failed".to_owned()))
    })
}

/// A refusal of an image that cannot be decoded.
pub fn bad_image(message: String) -> ImageRefusal {
    ImageRefusal { fault: ImageFault::BadImage, message, hint: None }
}
