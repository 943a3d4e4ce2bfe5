//! Images: pixels of the size that was asked for, or an error; the same one every time.

#![no_main]

use grnet_image::{Fit, Limits, prepare, probe};
use libfuzzer_sys::fuzz_target;

const SIZE: u32 = 32;

fuzz_target!(|bytes: &[u8]| {
    // Small limits: the time goes into many files, not into large ones.
    let limits = Limits { max_bytes: 1 << 20, max_pixels: 1 << 18 };
    let header = probe(bytes, &limits);
    let first = prepare(bytes, None, Fit::Letterbox, SIZE, &limits);
    match &first {
        Ok(image) => {
            let header = header.expect("what can be decoded has a header");
            assert_eq!((image.width, image.height, image.format), (header.width, header.height, header.format));
            assert_eq!(image.pixels.len(), (SIZE * SIZE * 3) as usize);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let second = prepare(bytes, None, Fit::Letterbox, SIZE, &limits);
    assert_eq!(first.map(|image| image.pixels), second.map(|image| image.pixels));
});
