//! The feature value: what is written is read, and what is not one is refused.

use grnet_features::error::FeatureError;
use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, Features, HEADER, ImageDigest, encode, from_text, to_text};
use proptest::prelude::*;

const ID: ModelId = ModelId([1, 2, 3, 4, 5, 6, 7, 8]);

fn value(dtype: Dtype, channels: usize) -> (Vec<f32>, Vec<u8>) {
    let values: Vec<f32> = (0..5 * channels).map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0).collect();
    let bytes = encode(ID, ImageDigest([9; 16]), &[1, 2], channels, dtype, &values).expect("a valid value");
    (values, bytes)
}

#[test]
fn every_number_type_comes_back() {
    for channels in [1, 3, 256, 300] {
        for (dtype, tolerance) in [(Dtype::F32, 0.0), (Dtype::F16, 4e-4), (Dtype::I8, 0.004)] {
            let (values, bytes) = value(dtype, channels);
            let features = Features::parse_untrusted(&bytes).expect("what was written");
            assert_eq!((features.model(), features.digest()), (ID, ImageDigest([9; 16])));
            assert_eq!((features.grids(), features.channels(), features.regions()), (&[1u8, 2][..], channels, 5));
            for (got, want) in features.to_f32().iter().zip(&values) {
                assert!((got - want).abs() <= tolerance, "{dtype:?} {got} {want}");
            }
            assert_eq!(from_text(&to_text(&bytes)).expect("its own text"), bytes);
        }
    }
}

#[test]
fn a_number_type_has_one_name_and_a_value_changes_it_without_changing_whose_it_is() {
    for dtype in Dtype::ALL {
        assert_eq!(dtype.name().parse(), Ok(dtype));
        assert_eq!(value(dtype, 7).1.len(), HEADER + dtype.bytes(5, 7));
    }
    let error = "int8".parse::<Dtype>().expect_err("no such name").to_string();
    assert!(error.contains("`int8`") && error.contains("f32, f16 or i8"), "{error}");
    let (values, halves) = value(Dtype::F16, 300);
    let halves = Features::parse(&halves).expect("valid");
    let bytes = halves.stored_as(Dtype::I8).expect("i8");
    let eights = Features::parse_untrusted(&bytes).expect("valid");
    assert_eq!((eights.dtype(), eights.model(), eights.digest()), (Dtype::I8, ID, halves.digest()));
    // Half a step of a region is the most that a value moves.
    for (region, values) in values.chunks(300).enumerate() {
        let mut got = vec![0.0; 300];
        eights.read_region(region, &mut got);
        let step = values.iter().fold(0.0f32, |m, v| m.max(v.abs())) / 127.0;
        assert!(got.iter().zip(values).all(|(got, want)| (got - want).abs() <= step * 0.51), "region {region}");
    }
    // Once is enough, and there and back is the same.
    assert_eq!(eights.stored_as(Dtype::I8).expect("i8"), bytes);
    let back = eights.stored_as(Dtype::F32).expect("f32");
    assert_eq!(Features::parse(&back).expect("valid").stored_as(Dtype::I8).expect("i8"), bytes);
}

#[test]
fn the_layout_is_as_documented() {
    let (_, bytes) = value(Dtype::F16, 256);
    assert_eq!(bytes.len(), HEADER + 5 * 256 * 2);
    assert_eq!(&bytes[..12], [1, 1, 2, 0, 1, 2, 0, 0, 0, 1, 0, 0]);
    assert_eq!(&bytes[12..20], ID.0);
    assert_eq!(&bytes[20..36], [9; 16]);
}

#[test]
fn the_global_vector_has_unit_norm_and_zeros_stay_zeros() {
    let (_, bytes) = value(Dtype::F16, 64);
    let global = Features::parse(&bytes).expect("valid").global();
    assert!((global.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
    let zeros = encode(ID, ImageDigest([0; 16]), &[1], 4, Dtype::F16, &[0.0; 4]).expect("valid");
    assert_eq!(Features::parse(&zeros).expect("valid").global(), [0.0; 4]);
}

#[test]
fn what_is_no_value_is_refused_by_name() {
    let (_, good) = value(Dtype::F16, 8);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Features::parse_untrusted(&bytes).map(|_| ()).expect_err("a broken value")
    };
    assert_eq!(with(0, 2), FeatureError::Version(2));
    assert_eq!(with(1, 3), FeatureError::Dtype(3));
    assert!(matches!(with(2, 0), FeatureError::Header(_)));
    assert!(matches!(with(2, 5), FeatureError::Header(_)));
    assert!(matches!(with(3, 1), FeatureError::Header(_)));
    assert!(matches!(with(4, 2), FeatureError::Header(_)));
    assert!(matches!(with(5, 9), FeatureError::Header(_)));
    assert!(matches!(with(6, 1), FeatureError::Header(_)));
    assert!(matches!(with(9, 0xff), FeatureError::Header(_)));
    assert!(matches!(with(5, 3), FeatureError::Length { .. }));
    assert_eq!(with(HEADER + 17, 0x7c), FeatureError::NotFinite { region: 1 });
    let short = Features::parse(&good[..20]).map(|_| ()).expect_err("cut");
    assert_eq!(short, FeatureError::TooShort { got: 20, header: HEADER });
    assert!(from_text("grnet1:AAA").is_err() && from_text("AAAA").is_err());
}

#[test]
fn values_that_cannot_be_stored_are_refused() {
    let make = |dtype, v: f32| encode(ID, ImageDigest([0; 16]), &[1], 1, dtype, &[v]).map(|_| ());
    assert_eq!(make(Dtype::F32, f32::NAN), Err(FeatureError::NotFinite { region: 0 }));
    assert_eq!(make(Dtype::I8, f32::INFINITY), Err(FeatureError::NotFinite { region: 0 }));
    assert_eq!(make(Dtype::F16, 7e4), Err(FeatureError::Range { value: 7e4, region: 0 }));
    // The ends of f32 in steps of i8: what is stored is read again as finite numbers.
    for v in [f32::MIN_POSITIVE / 8.0, f32::from_bits(1), f32::MAX, -f32::MAX, f32::MAX / 3.0] {
        let bytes = encode(ID, ImageDigest([0; 16]), &[1], 1, Dtype::I8, &[v]).expect("a finite number");
        let got = Features::parse_untrusted(&bytes).expect("finite numbers").to_f32()[0];
        assert!((got - v).abs() <= v.abs() * 1e-2 + f32::MIN_POSITIVE, "{got} {v}");
    }
    assert!(matches!(
        encode(ID, ImageDigest([0; 16]), &[1, 2], 3, Dtype::F16, &[0.0; 4]),
        Err(FeatureError::Count { .. })
    ));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(features) = Features::parse_untrusted(&bytes) {
            prop_assert_eq!(features.to_f32().len(), features.regions() * features.channels());
        }
    }

    #[test]
    fn no_change_of_a_value_makes_the_reader_panic(at in 0usize..116, byte: u8, cut in 0usize..117) {
        let (_, mut bytes) = value(Dtype::F16, 8);
        bytes[at] = byte;
        bytes.truncate(cut);
        let _ = Features::parse_untrusted(&bytes).map(|f| f.to_f32());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = from_text(&text);
        let _ = from_text(&format!("grnet1:{text}"));
    }
}
