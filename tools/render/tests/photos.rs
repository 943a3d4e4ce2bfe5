//! What a catalogue and its photos promise.

use grnet_render::{Annotation, Catalogue, Difficulty, Domain, Item, Kind, Level, Photo, View};
use std::collections::HashSet;

const SIZE: u32 = 96;
const ALL: [Difficulty; 5] =
    [Difficulty::Easy, Difficulty::HardView, Difficulty::HardOcclusion, Difficulty::HardCropping, Difficulty::Mixed];

/// Mean brightness of 4 x 4 fields: the same on every machine up to a level or so, whatever the
/// processor does to the last bit of a float.
fn fields(photo: &Photo) -> [u8; 16] {
    let (width, height) = photo.rgb.dimensions();
    core::array::from_fn(|field| {
        let (column, row) = (field as u32 % 4, field as u32 / 4);
        let (mut sum, mut count) = (0u64, 0u64);
        for y in height * row / 4..height * (row + 1) / 4 {
            for x in width * column / 4..width * (column + 1) / 4 {
                sum += photo.rgb.get_pixel(x, y).0.iter().map(|&v| u64::from(v)).sum::<u64>();
                count += 3;
            }
        }
        (sum / count) as u8
    })
}

fn items(count: u64) -> impl Iterator<Item = Item> {
    (0..count).map(|number| Catalogue::new(3).item(number))
}

#[test]
fn photos_are_fixed_by_the_seed() {
    let catalogue = Catalogue::new(11);
    let expected: [[u8; 16]; 3] = [
        [224, 159, 158, 226, 199, 118, 108, 196, 223, 121, 115, 223, 214, 143, 140, 216],
        [175, 177, 162, 160, 175, 192, 172, 163, 148, 192, 185, 164, 162, 166, 164, 170],
        [97, 114, 117, 130, 160, 97, 87, 115, 154, 100, 117, 120, 119, 131, 138, 143],
    ];
    let photos = [
        catalogue.item(0).shop_photo(0, SIZE),
        catalogue.item(1).consumer_photo(0, Difficulty::Mixed, SIZE),
        catalogue.item(7).consumer_photo(1, Difficulty::HardOcclusion, SIZE),
    ];
    let found = photos.each_ref().map(fields);
    let near = found.iter().flatten().zip(expected.iter().flatten()).all(|(a, b)| a.abs_diff(*b) <= 2);
    assert!(near, "found {found:?}");
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    for item in items(12) {
        let photo = item.consumer_photo(2, Difficulty::Mixed, SIZE);
        let again = item.consumer_photo(2, Difficulty::Mixed, SIZE);
        assert_eq!(photo.rgb, again.rgb);
        assert_eq!(photo.annotation, again.annotation);
        let other = item.consumer_photo(3, Difficulty::Mixed, SIZE);
        assert_ne!(photo.rgb.as_raw(), other.rgb.as_raw());
    }
}

fn check(item: &Item, photo: &Photo) {
    let Annotation { bounds, occlusion, cropping, .. } = photo.annotation;
    let (width, height) = photo.rgb.dimensions();
    assert!(bounds.width > 3 && bounds.height > 3, "{item}: {bounds:?}");
    assert!(bounds.left + bounds.width <= width && bounds.top + bounds.height <= height, "{item}: {bounds:?}");
    assert!((0.0..=1.0).contains(&occlusion) && (0.0..=1.0).contains(&cropping));
    assert_eq!((photo.annotation.item, photo.annotation.kind), (item.number, item.kind));
}

#[test]
fn shop_photos_show_the_whole_front() {
    for item in items(24) {
        let photo = item.shop_photo(0, SIZE);
        check(&item, &photo);
        assert_eq!(photo.annotation.domain, Domain::Shop);
        assert_eq!(photo.annotation.view, View::Front);
        assert_eq!(photo.annotation.occlusion_level(), Level::None);
        let bounds = photo.annotation.bounds;
        assert!(bounds.width.max(bounds.height) > SIZE * 7 / 10, "{item}: {bounds:?}");
        assert!(bounds.left > 0 && bounds.top > 0, "{item}: {bounds:?}");
    }
}

#[test]
fn annotations_fit_the_difficulty() {
    for item in items(36) {
        for difficulty in ALL {
            let photo = item.consumer_photo(0, difficulty, SIZE);
            check(&item, &photo);
            let note = &photo.annotation;
            let told = format!("{item}, {difficulty:?}: {note:?}");
            match difficulty {
                Difficulty::Easy => {
                    assert_eq!(note.view, View::Front, "{told}");
                    assert_eq!(note.occlusion_level(), Level::None, "{told}");
                    assert_eq!(note.cropping_level(), Level::None, "{told}");
                }
                Difficulty::HardView => assert_ne!(note.view, View::Front, "{told}"),
                Difficulty::HardOcclusion => {
                    assert_eq!(note.occlusion_level(), Level::Heavy, "{told}");
                    assert_eq!(note.cropping_level(), Level::None, "{told}");
                }
                Difficulty::HardCropping => {
                    assert_eq!(note.cropping_level(), Level::Heavy, "{told}")
                }
                Difficulty::Mixed => assert_eq!(note.domain, Domain::Consumer),
            }
        }
    }
}

#[test]
fn every_kind_appears_and_siblings_differ_in_a_detail() {
    let kinds: HashSet<Kind> = items(12).map(|item| item.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    for number in 0..12 {
        let family: Vec<Item> = (0..4).map(|member| Catalogue::new(3).item(number + 12 * member)).collect();
        for (index, one) in family.iter().enumerate() {
            assert_eq!((one.family, one.kind, one.colour), (family[0].family, family[0].kind, family[0].colour));
            for other in &family[..index] {
                let same = (one.cut, one.pattern, one.print, one.trimmed)
                    == (other.cut, other.pattern, other.print, other.trimmed);
                assert!(!same, "{one} / {other}");
                assert_ne!(one.shop_photo(0, SIZE).rgb.as_raw(), other.shop_photo(0, SIZE).rgb.as_raw());
            }
        }
    }
}

#[test]
fn an_item_is_the_same_whenever_it_is_asked_for() {
    for item in items(48) {
        let again = Catalogue::new(3).item(item.number);
        assert_eq!(item, again);
        assert_eq!(item.title(), again.title());
        assert!(item.title().contains(item.colour.name));
    }
    assert_ne!(Catalogue::new(4).item(0), Catalogue::new(3).item(0));
}

#[test]
fn a_photo_becomes_a_jpeg_of_its_size() {
    let photo = Catalogue::new(1).item(3).consumer_photo(0, Difficulty::Mixed, SIZE);
    let bytes = photo.jpeg(photo.annotation.quality).expect("small photo");
    let back = image::load_from_memory(&bytes).expect("valid JPEG");
    assert_eq!((back.width(), back.height()), photo.rgb.dimensions());
}
