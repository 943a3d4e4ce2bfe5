//! The protocol: round trips, caps, and bytes that are no message.

use std::io::{Cursor, Read};

use grnet_features::model_file::ModelId;
use grnet_wire::{
    Drawing, Failure, FrameReader, Image, ImageFault, ImageRefusal, JobFault, JobImage, JobKind, JobRefusal, JobState,
    Outcome, Region, Reply, Request, Side, Stats, WireError, decode_reply, decode_request, encode_reply,
    encode_request, read_frame, write_frame,
};
use proptest::prelude::*;

fn requests() -> Vec<Request<'static>> {
    let region = Region { left: 1.0, top: 2.5, width: 3.0, height: 4.0 };
    vec![
        Request::Hello { protocol: 1, pid: 4711 },
        Request::Embed {
            id: 7,
            model: ModelId([3; 8]),
            deadline_ms: 60_000,
            max_bytes: 1 << 25,
            max_pixels: 64_000_000,
            images: vec![Image { bytes: b"some image", region: None }, Image { bytes: b"", region: Some(region) }],
        },
        Request::Model { id: 8, file: b"a model file" },
        Request::Stats { id: 9 },
        Request::Job {
            id: 10,
            kind: JobKind::Train,
            database: "shop",
            name: "ours",
            options: r#"{"steps": 9}"#,
            file: b"a model file",
        },
        Request::Images {
            id: 11,
            images: vec![
                JobImage { bytes: b"some image", region: None, item: Some("7"), shop: true, set: "", strata: [""; 3] },
                JobImage {
                    bytes: b"",
                    region: Some(region),
                    item: None,
                    shop: false,
                    set: "Easy",
                    strata: ["side", "", "0.3"],
                },
            ],
        },
        Request::Run { id: 12 },
        Request::Piece { id: 13, offset: 1 << 33 },
        Request::End { id: 14 },
        Request::Jobs { id: 15 },
        Request::MatchMap {
            id: 16,
            model: ModelId([3; 8]),
            deadline_ms: 60_000,
            max_bytes: 1 << 25,
            max_pixels: 64_000_000,
            query: b"some image",
            item: b"",
        },
    ]
}

fn state() -> JobState {
    JobState {
        kind: JobKind::Evaluate,
        pid: 4711,
        database: "shop".into(),
        model: "base".into(),
        phase: "computing maps".into(),
        images: 1,
        items: 2,
        bytes: 3,
        done: 4,
        total: 5,
        loss: Some(0.5),
        global: None,
        graph: Some([0.1, 0.2, 0.3, 0.4]),
        started_us: 1_700_000_000_000_000,
        left_s: None,
    }
}

fn replies() -> Vec<Reply> {
    let refusal =
        ImageRefusal { fault: ImageFault::TooLarge, message: "image has 9 pixels, the limit is 8".into(), hint: None };
    vec![
        Reply::Hello { protocol: 1, pid: 1 },
        Reply::Refused { reason: "too many connections".into() },
        Reply::Features { id: 7, images: vec![Outcome::Features(vec![1, 2, 3]), Outcome::Refused(refusal.clone())] },
        Reply::NeedModel { id: 7, model: ModelId([3; 8]) },
        Reply::ModelReady { id: 8, model: ModelId([3; 8]) },
        Reply::Failed { id: 7, failure: Failure::Busy { queued: 300, limit: 256 } },
        Reply::Failed { id: 7, failure: Failure::BadModel("tensor `x` is missing".into()) },
        Reply::Stats { id: 9, stats: Stats { images: 12, models: vec![ModelId([3; 8])], ..Stats::default() } },
        Reply::Going { id: 11, state: state() },
        Reply::Progress { id: 12, state: state() },
        Reply::Finished { id: 12, report: "{}".into(), words: vec!["left out 7".into()], model_bytes: 9 },
        Reply::Piece { id: 13, bytes: vec![1, 2, 3] },
        Reply::Jobs { id: 15, jobs: vec![state(), state()] },
        Reply::MatchMap { id: 16, drawing: Drawing::Png(vec![137, 80, 78, 71]) },
        Reply::MatchMap { id: 16, drawing: Drawing::Refused(Side::Item, refusal.clone()) },
        Reply::Failed {
            id: 10,
            failure: Failure::Job(JobRefusal {
                fault: JobFault::Option,
                message: "option \"stepz\" is not known".into(),
                detail: None,
                hint: Some("Known are steps.".into()),
            }),
        },
    ]
}

#[test]
fn every_message_comes_back() {
    for request in requests() {
        let bytes = encode_request(&request).expect("small");
        assert_eq!(decode_request(&bytes).expect("what was written"), request);
    }
    for reply in replies() {
        let bytes = encode_reply(&reply).expect("small");
        assert_eq!(decode_reply(&bytes).expect("what was written"), reply);
    }
}

#[test]
fn a_message_with_bytes_left_over_or_cut_off_is_refused() {
    for request in requests() {
        let mut bytes = encode_request(&request).expect("small");
        for cut in 0..bytes.len() {
            assert!(decode_request(&bytes[..cut]).is_err(), "{request:?} cut to {cut}");
        }
        bytes.extend([0, 0]);
        assert!(matches!(decode_request(&bytes), Err(WireError::Trailing(2))));
    }
    for reply in replies() {
        let mut bytes = encode_reply(&reply).expect("small");
        for cut in 0..bytes.len() {
            assert!(decode_reply(&bytes[..cut]).is_err());
        }
        bytes.push(0);
        assert!(matches!(decode_reply(&bytes), Err(WireError::Trailing(1))));
    }
}

#[test]
fn frames_come_back_in_one_piece_or_in_many() {
    let frames: [&[u8]; 4] = [b"one", b"", b"three", &[7; 100_000]];
    let mut stream = Vec::new();
    for frame in frames {
        write_frame(&mut stream, frame).expect("a vector takes everything");
    }
    let mut whole = Cursor::new(&stream);
    for frame in frames {
        assert_eq!(read_frame(&mut whole, 1 << 20).expect("a frame"), frame);
    }
    assert!(matches!(read_frame(&mut whole, 1 << 20), Err(WireError::Closed)));
    let mut reader = FrameReader::new(1 << 20);
    let mut got = Vec::new();
    for piece in stream.chunks(3) {
        reader.push(piece).expect("memory");
        while let Some(frame) = reader.take_frame().expect("within the limit") {
            got.push(frame);
        }
    }
    assert_eq!(got, frames);
}

/// A stream that announces a frame and fails the test if more than `allowed` bytes are asked for at once.
struct Announcer {
    header: Cursor<[u8; 4]>,
}

impl Read for Announcer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        assert!(buffer.len() <= 2 << 20, "{} bytes were allocated for a frame that never came", buffer.len());
        self.header.read(buffer)
    }
}

#[test]
fn an_announcement_costs_nothing() {
    let announce = |length: u32| Announcer { header: Cursor::new(length.to_le_bytes()) };
    assert!(matches!(read_frame(&mut announce(u32::MAX), 512 << 20), Err(WireError::TooLarge { .. })));
    assert!(matches!(read_frame(&mut announce(512 << 20), 512 << 20), Err(WireError::Io(_))));
    let mut reader = FrameReader::new(1000);
    reader.push(&1001u32.to_le_bytes()).expect("memory");
    assert!(matches!(reader.take_frame(), Err(WireError::TooLarge { got: 1001, limit: 1000 })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_request(&bytes);
        let _ = decode_reply(&bytes);
    }

    #[test]
    fn no_change_of_a_message_makes_a_decoder_panic(which in 0usize..27, at in 0usize..500, byte: u8) {
        let (requests, replies) = (requests(), replies());
        let mut bytes = match requests.get(which) {
            Some(request) => encode_request(request).expect("small"),
            None => encode_reply(&replies[which - requests.len()]).expect("small"),
        };
        let at = at % bytes.len();
        bytes[at] = byte;
        // What is still a message must come back as itself.
        if let Ok(request) = decode_request(&bytes) {
            prop_assert_eq!(encode_request(&request).expect("small"), bytes.clone());
        }
        if let Ok(reply) = decode_reply(&bytes) {
            prop_assert_eq!(encode_reply(&reply).expect("small"), bytes);
        }
    }
}
