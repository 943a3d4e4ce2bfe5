//! The wire: whatever comes is a message or an error, a message is written as it was read, and pieces change nothing.

#![no_main]

use grnet_wire::{FrameReader, decode_reply, decode_request, encode_reply, encode_request, read_frame};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = decode_request(bytes) {
        let written = encode_request(&request).expect("what was read can be written");
        // Compared as bytes: a region may hold a NaN, which equals nothing.
        let again = decode_request(&written).expect("what was written can be read");
        assert_eq!(encode_request(&again).ok(), Some(written));
    }
    if let Ok(reply) = decode_reply(bytes) {
        let written = encode_reply(&reply).expect("what was read can be written");
        let again = decode_reply(&written).expect("what was written can be read");
        assert_eq!(encode_reply(&again).ok(), Some(written));
    }

    // A stream of frames, read at once by one reader and in pieces by the other.
    let mut whole = bytes;
    let mut pieces = FrameReader::new(LIMIT);
    let step = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    let mut left = bytes.chunks(step);
    loop {
        let frame = read_frame(&mut whole, LIMIT).ok();
        let other = loop {
            match pieces.take_frame() {
                Ok(Some(frame)) => break Some(frame),
                Ok(None) => match left.next() {
                    Some(piece) => pieces.push(piece).expect("memory for a piece"),
                    None => break None,
                },
                Err(_) => break None,
            }
        };
        assert_eq!(frame, other);
        if frame.is_none() {
            return;
        }
    }
});
