//! The benchmark in small.

use super::*;

const BOXES: &str = "5\nimage_name  clothes_type  source_type  x_1  y_1  x_2  y_2\n\
    img/A/id_1/shop_01.jpg    1    1    010 020 110 220\n\
    img/A/id_1/comsumer_01.jpg 1   2    5 6 50 60\n\
    img/A/id_2/shop_01.jpg    1    1    1 1 1 9\n\
    img/A/id_2/comsumer_01.jpg 1   2    0 0 9 9\n\
    img/A/id_3/shop_01.jpg    1    1    0 0 9 9\n";
const PAIRS: &str = "2\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\n\
    img/A/id_1/comsumer_01.jpg img/A/id_1/shop_01.jpg id_1 train\n\
    img/A/id_2/comsumer_01.jpg img/A/id_2/shop_01.jpg id_2 test\n";

/// What is found where the lists are these; `None` is a list that is not there.
fn found(boxes: Option<&str>, pairs: Option<&str>, items: Option<&str>) -> Result<Found, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("Anno/list_bbox_consumer2shop.txt", boxes),
        ("Eval/list_eval_partition.txt", pairs),
        ("Anno/list_item_consumer2shop.txt", items),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some(text) = text {
            std::fs::write(path, text).unwrap();
        }
    }
    read(folder.path(), 10).map_err(|error| error.to_string())
}

#[test]
fn boxes_sources_items_and_splits_are_read() {
    let Found { images, warnings } = found(Some(BOXES), Some(PAIRS), Some("2\nid_1\nid_2\n")).unwrap();
    let got: Vec<_> = images.iter().map(|image| (image.item, image.shop, image.split.unwrap())).collect();
    let (train, test) = (Split::Train, Split::Test);
    assert_eq!(got, [(10, true, train), (10, false, train), (11, true, test), (11, false, test)]);
    assert_eq!(images[0].region, Some(Region { left: 10.0, top: 20.0, width: 100.0, height: 200.0 }));
    assert!(images[1].path.ends_with("img/A/id_1/comsumer_01.jpg"));
    assert_eq!(images[2].region, None);
    assert_eq!(
        warnings,
        [
            "1 of 5 images have no box and are taken whole, the first is img/A/id_2/shop_01.jpg",
            "1 of 5 images are in no pair and are left out, the first is img/A/id_3/shop_01.jpg"
        ]
    );
}

#[test]
fn a_pair_without_a_box_is_taken_whole_and_lists_that_promise_more_are_named() {
    let boxes = "9\nhead\nimg/A/id_1/shop_01.jpg 1 1 0 0 9 9\n";
    let Found { images, warnings } = found(Some(boxes), Some(PAIRS), None).unwrap();
    assert_eq!(
        images.iter().map(|p| (p.shop, p.region.is_some())).collect::<Vec<_>>(),
        [(true, true), (false, false), (false, false), (true, false)]
    );
    assert!(warnings[0].contains("list_bbox_consumer2shop.txt promises 9 rows and has 1"), "{warnings:?}");
    assert!(warnings[1].contains("3 of 4 images have no box"), "{warnings:?}");
}

#[test]
fn what_contradicts_itself_is_refused_with_both_lines() {
    let pairs = |row: &str| found(Some(BOXES), Some(&format!("{PAIRS}{row}\n")), None).unwrap_err();
    let (consumer, shop) = ("img/A/id_1/comsumer_01.jpg", "img/A/id_3/shop_01.jpg");
    let error = pairs(&format!("{consumer} {shop} id_1 val"));
    assert!(error.contains("line 5 puts the item id_1 into the split val, line 3 into train"), "{error}");
    let error = pairs(&format!("{consumer} {shop} id_3 train"));
    assert!(error.contains(&format!("line 5 gives {consumer} the item id_3, line 3 gives it another")), "{error}");
    let error = pairs(&format!("{consumer} {shop} id_1 Train"));
    assert!(error.contains("line 5 has the split `Train`"), "{error}");
}

#[test]
fn broken_lists_are_refused_by_name_and_line() {
    let error = found(Some(BOXES), None, None).unwrap_err();
    assert!(error.contains("there is no Eval/list_eval_partition.txt"), "{error}");
    let error = found(None, Some(PAIRS), None).unwrap_err();
    assert!(error.contains("there is no Anno/list_bbox_consumer2shop.txt"), "{error}");
    let error = found(Some(BOXES), Some(PAIRS), Some("1\nid_1\n")).unwrap_err();
    assert!(error.contains("line 4 names the item id_2, which is not in the list of items"), "{error}");
    let error = found(Some(&format!("{BOXES}img/x.jpg 1 3 0 0 9 9\n")), Some(PAIRS), None).unwrap_err();
    assert!(error.contains("line 8 has the source `3`"), "{error}");
    let again = format!("{BOXES}img/A/id_3/shop_01.jpg 1 1 5 5 9 9\n").replace("5\nimage", "6\nimage");
    let warnings = found(Some(&again), Some(PAIRS), None).unwrap().warnings;
    assert!(warnings[0].starts_with("1 of 5 images have a second box, which is left out, the first is line 8"));
    let error = found(Some(&format!("{BOXES}img/x.jpg 1 2 0 0 9 x\n")), Some(PAIRS), None).unwrap_err();
    assert!(error.contains("line 8 has the box `0 0 9 x`"), "{error}");
}

#[test]
fn images_are_found_where_the_archive_was_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["img/a.jpg", "img/b.jpg"];
    assert_eq!(root(folder.path(), &names), folder.path());
    std::fs::create_dir_all(folder.path().join("Img/img")).unwrap();
    std::fs::write(folder.path().join("Img/img/b.jpg"), b"").unwrap();
    assert_eq!(root(folder.path(), &names), folder.path().join("Img"));
}
