//! Feature values: what is accepted can be read to its last byte, and comes back from its text form as it was.

#![no_main]

use grnet_features::value::{Features, from_text, to_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(value) = from_text(text)
    {
        // A text may be written in several ways; its value is written in one.
        assert_eq!(from_text(&to_text(&value)).as_deref().ok(), Some(&value[..]));
    }
    let trusted = Features::parse(bytes);
    let Ok(features) = Features::parse_untrusted(bytes) else { return };
    assert!(trusted.is_ok(), "what a stranger may send is refused from the own table");
    assert_eq!(features.bytes(), bytes);
    let values = features.to_f32();
    assert_eq!(values.len(), features.regions() * features.channels());
    assert!(values.iter().all(|value| value.is_finite()));
    let mut region = vec![0.0; features.channels()];
    for number in 0..features.regions() {
        features.read_region(number, &mut region);
    }
    assert!(features.global().iter().all(|value| value.is_finite()));
    assert_eq!(from_text(&to_text(bytes)).as_deref().ok(), Some(bytes));
});
