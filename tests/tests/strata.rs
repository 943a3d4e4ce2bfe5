//! `grnet_evaluate` by strata, on a real server.

use grnet_tests::images::{bmp, encode, picture};
use grnet_tests::refusal::assert_refused;
use grnet_tests::server::{Server, features};
use image::ImageFormat;
use postgres::{Client, Row};

const ITEMS: i32 = 36;

/// What is annotated of a consumer's image, by its item.
const KINDS: [[Option<&str>; 3]; 6] = [
    [Some("front"), Some("none"), Some("none")],
    [Some("back"), Some("none"), Some("0.01")],
    [Some("front"), Some("heavy"), None],
    [Some("side"), Some("0.4"), Some("light")],
    [None, None, None],
    [Some("front"), Some("light"), Some("none")],
];

fn catalogue() -> Server {
    let server = Server::start();
    let mut client = server.session();
    let table = "CREATE TABLE image (item integer, image bytea, domain text, view text, occlusion text, cropping text)";
    client.batch_execute(table).expect("a table");
    let insert = client.prepare("INSERT INTO image VALUES ($1, $2, $3, $4, $5, $6)").expect("a statement");
    for item in 0..ITEMS {
        let none: [Option<&str>; 3] = [None; 3];
        let shop = picture(item as u64, 48, 48);
        let mut snapshot = image::imageops::crop_imm(&shop, 6, 2, 38, 42).to_image();
        snapshot.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|c| (u32::from(c) * 3 / 4) as u8));
        for (picture, domain, [view, occlusion, cropping]) in
            [(shop, "shop", none), (snapshot, "consumer", KINDS[item as usize % KINDS.len()])]
        {
            let bytes = encode(&picture, ImageFormat::Bmp);
            client.execute(&insert, &[&item, &bytes, &domain, &view, &occlusion, &cropping]).expect("a row");
        }
    }
    features(&mut client, &bmp(1));
    server
}

fn evaluate(client: &mut Client, columns: &str, rows: &str) -> Vec<Row> {
    let sql = format!("SELECT * FROM grnet_evaluate($q$SELECT {columns} FROM image WHERE {rows}$q$)");
    client.query(&sql, &[]).expect("it is measured")
}

const ALL: &str = "item, image, domain, view, occlusion, cropping";

#[test]
fn a_stratum_is_measured_as_its_queries_alone_are() {
    let server = catalogue();
    let mut client = server.session();
    let rows = evaluate(&mut client, ALL, "true");
    let sixth = ITEMS / 6;
    let found: Vec<(Option<&str>, &str, i32)> =
        rows.iter().map(|row| (row.get("stratum"), row.get("ranking"), row.get("queries"))).collect();
    let strata =
        [(None, ITEMS), (Some("easy"), sixth), (Some("hard-view"), 2 * sixth), (Some("hard-occlusion"), 2 * sixth)];
    let rankings = ["backbone", "global", "graph"];
    let expected = strata.iter().flat_map(|&(stratum, queries)| rankings.map(|ranking| (stratum, ranking, queries)));
    // Nothing is heavily cropped: that stratum has no row.
    assert_eq!(found, expected.collect::<Vec<_>>());
    for (stratum, alone) in [
        ("easy", "occlusion = 'none' AND cropping = 'none'"),
        ("hard-view", "view IN ('side', 'back')"),
        ("hard-occlusion", "occlusion IN ('heavy', '0.4')"),
    ] {
        // Without the columns, so that there is nothing but the set.
        let alone = evaluate(&mut client, "item, image, domain", &format!("domain = 'shop' OR {alone}"));
        let own: Vec<&Row> = rows.iter().filter(|row| row.get::<_, Option<&str>>("stratum") == Some(stratum)).collect();
        assert_eq!((alone.len(), own.len()), (3, 3));
        for (own, alone) in own.into_iter().zip(&alone) {
            assert_eq!(alone.get::<_, Option<&str>>("stratum"), None);
            assert_eq!(own.get::<_, i32>("queries"), alone.get::<_, i32>("queries"));
            assert_eq!(own.get::<_, i32>("gallery"), ITEMS);
            for share in ["top1", "top5", "top20", "top50"] {
                assert_eq!(own.get::<_, f64>(share), alone.get::<_, f64>(share), "{stratum} {share}");
            }
            for ends in ["low", "high"] {
                assert_eq!(own.get::<_, Vec<f64>>(ends), alone.get::<_, Vec<f64>>(ends), "{stratum} {ends}");
            }
            for gain in ["gain", "gain_low", "gain_high"] {
                let gains = [own, alone].map(|row| row.get::<_, Option<Vec<f64>>>(gain));
                assert_eq!(gains[0], gains[1], "{stratum} {gain}");
                assert_eq!(gains[0].is_some(), own.get::<_, &str>("ranking") == "graph");
            }
            for count in ["not_in_gallery", "unreadable"] {
                assert_eq!(own.get::<_, Option<i32>>(count), None, "counted by set");
                assert_eq!(alone.get::<_, Option<i32>>(count), Some(0));
            }
        }
    }
    // A number is a share, and a column alone is enough.
    let rows = evaluate(&mut client, "item, image, domain, (item % 2) * 0.5 AS cropping", "true");
    let hard: Vec<i32> = rows
        .iter()
        .filter(|row| row.get::<_, Option<&str>>("stratum") == Some("hard-cropping"))
        .map(|row| row.get("queries"))
        .collect();
    assert_eq!((rows.len(), hard), (6, vec![ITEMS / 2; 3]));
}

#[test]
fn what_is_not_known_is_refused_with_its_row_and_a_training_has_no_use_for_it() {
    let server = catalogue();
    let mut client = server.session();
    for (columns, part) in [
        ("'above' AS view", "the view `above`, known are front, side and back"),
        ("1.5 AS occlusion", "the occlusion `1.5`, known are none, light, heavy and shares from 0 to 1"),
    ] {
        let sql = format!("SELECT * FROM grnet_evaluate($q$SELECT item, image, domain, {columns} FROM image$q$)");
        assert_refused(&mut client, &sql, "22023", part);
        assert_refused(&mut client, &sql, "22023", "row 1 of the query");
    }
    let sql = format!("SELECT grnet_train('ours', 'SELECT {ALL} FROM image')");
    assert_refused(&mut client, &sql, "42703", "the query has a column \"view\", which says nothing here");
}
