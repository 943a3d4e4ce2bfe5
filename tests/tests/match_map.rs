//! Match maps through SQL: a picture of both images, or one ERROR that says which of them is wrong.

use std::thread;
use std::time::{Duration, Instant};

use grnet_cluster::process::{self, Signal};
use grnet_tests::hostile::{Expect, cases};
use grnet_tests::images::{bmp, encode, jpeg, picture, png_with_orientation, stored_for};
use grnet_tests::refusal::{Refusal, assert_refused};
use grnet_tests::server::{START, Server, backend_of, counter, features};
use grnet_tests::{eventually, processes::kilobytes};
use image::{ImageFormat, RgbImage};
use postgres::Client;

/// What the documentation promises: images of 512 pixels, a margin above, words below.
const HEIGHT: u32 = 570;

const SQL: &str = "SELECT grnet_match_map($1, $2)";

fn drawn(client: &mut Client, query: &[u8], item: &[u8]) -> Result<Vec<u8>, postgres::Error> {
    client.query_one(SQL, &[&query, &item]).map(|row| row.get(0))
}

fn map(client: &mut Client, query: &[u8], item: &[u8]) -> RgbImage {
    let png = drawn(client, query, item).expect("a map");
    image::load_from_memory_with_format(&png, ImageFormat::Png).expect("a PNG").into_rgb8()
}

#[test]
fn a_map_shows_both_images_upright_and_is_the_same_every_time() {
    let server = Server::start();
    let mut client = server.session();
    // 3 : 4 and 4 : 3, as JPEG and as PNG.
    let (query, item) = (jpeg(&picture(1, 300, 400)), encode(&picture(2, 120, 90), ImageFormat::Png));
    let first = map(&mut client, &query, &item);
    assert_eq!(first.height(), HEIGHT);
    assert_eq!(first.width(), 14 + 384 + 76 + 512 + 14);
    assert_eq!(map(&mut client, &query, &item), first);
    // Between the edge of a box and its middle nothing lies above the images.
    let near = |map: &RgbImage, (left, top): (u32, u32), own: [u8; 3]| {
        let (x, y) = (left + 40, top + 40);
        let found = map.get_pixel(x, y).0;
        assert!(found.iter().zip(own).all(|(a, b)| a.abs_diff(b) < 24), "{found:?} at {x}, {y}, not {own:?}");
    };
    near(&first, (14, 14), picture(1, 300, 400).get_pixel(31, 31).0);
    near(&first, (14 + 384 + 76, 14 + 64), picture(2, 120, 90).get_pixel(9, 9).0);

    // Turned about, the images change places; others give another picture.
    let turned = map(&mut client, &item, &query);
    near(&turned, (14, 14 + 64), picture(2, 120, 90).get_pixel(9, 9).0);
    assert_ne!(turned, first);
    assert_ne!(map(&mut client, &query, &bmp(3)), map(&mut client, &query, &bmp(4)));

    // An image that was stored in another orientation is the same image.
    let upright = picture(5, 60, 80);
    let plain = map(&mut client, &encode(&upright, ImageFormat::Png), &item);
    for orientation in [3, 6, 8] {
        let stored = png_with_orientation(&stored_for(&upright, orientation), orientation);
        let turned = map(&mut client, &stored, &item);
        assert_eq!(turned.dimensions(), plain.dimensions());
        let other =
            turned.pixels().zip(plain.pixels()).filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 8));
        assert!(other.count() < 500, "orientation {orientation} shows another image");
    }
}

#[test]
fn a_null_gives_null_and_the_model_may_be_named() {
    let server = Server::start();
    let mut client = server.session();
    let sql = "SELECT grnet_match_map(NULL, $1) IS NULL, grnet_match_map($1, NULL) IS NULL, \
               grnet_match_map(NULL, NULL, 'tiny') IS NULL, grnet_match_map($1, $1, NULL) IS NULL, \
               grnet_match_map($1, $1, 'tiny') = grnet_match_map($1, $1)";
    let row = client.query_one(sql, &[&bmp(1)]).expect("NULL in, NULL out");
    assert!((0..5).all(|column| row.get::<_, bool>(column)), "{row:?}");
    // No NULL asks the engine.
    assert_eq!(counter(&mut client, "requests"), 2);
}

#[test]
fn errors_say_which_image_and_what_to_do() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE image (good bytea)").expect("a table");
    client.execute("INSERT INTO image VALUES ($1)", &[&encode(&picture(1, 40, 40), ImageFormat::Png)]).expect("a row");
    for (call, code, words) in [
        ("'no image', good", "22000", "It is the query's image."),
        ("good, 'no image'", "22000", "It is the item's image."),
        ("'', ''", "22000", "It is the query's image."),
        ("good, '%PDF-1.7'", "22000", "image is a PDF document"),
        ("good, good, 'nobody'", "42704", "model \"nobody\" is not in this database"),
        ("good, good, 'base'", "42704", "SELECT grnet_install_model('base');"),
        ("repeat('x', 33554433)::bytea, good", "54000", "It is the query's image."),
        ("good, repeat('x', 33554433)::bytea", "54000", "image has 33554433 bytes, the limit is 33554432"),
    ] {
        let refusal = assert_refused(&mut client, &format!("SELECT grnet_match_map({call}) FROM image"), code, words);
        assert!(!refusal.hint.is_empty(), "{refusal:?}");
    }
    client.batch_execute("SET grnet.max_image_pixels = 1000").expect("a superuser may");
    let refusal = assert_refused(&mut client, "SELECT grnet_match_map(good, good) FROM image", "54000", "1600 pixels");
    assert_eq!(refusal.detail, "It is the query's image.");
    client.batch_execute("RESET grnet.max_image_pixels; SET grnet.max_image_bytes = '256MB'").expect("a superuser may");
    // Each of them is allowed.
    let sql = "SELECT grnet_match_map(repeat('x', 268435456)::bytea, repeat('x', 268435456)::bytea)";
    assert_refused(&mut client, sql, "54000", "both images together have 536870912 bytes");
}

#[test]
fn hostile_images_get_a_map_or_one_error_and_the_engine_lives() {
    let server = Server::start();
    let mut client = server.session();
    let good = bmp(1);
    map(&mut client, &good, &good);
    let engine = server.engine();
    let before = kilobytes(engine, "VmRSS");
    let (mut maps, mut errors) = (0, 0);
    for case in cases() {
        // Each of them on both sides.
        let sides = [drawn(&mut client, &case.bytes, &good), drawn(&mut client, &good, &case.bytes)];
        for (outcome, side) in sides.into_iter().zip(["query", "item"]) {
            match outcome {
                Ok(png) => {
                    assert!(!matches!(case.expect, Expect::Refused(_)), "{}: it was accepted", case.name);
                    let map = image::load_from_memory_with_format(&png, ImageFormat::Png).expect("a PNG");
                    assert_eq!(map.height(), HEIGHT, "{}", case.name);
                    maps += 1;
                }
                Err(error) => {
                    let refusal = Refusal::of(&error).unwrap_or_else(|| panic!("{}: the session is lost", case.name));
                    assert!(case.expect != Expect::Features, "{}: {refusal:?}", case.name);
                    let expected = if let Expect::Refused(code) = case.expect { code } else { refusal.code.as_str() };
                    assert_eq!(refusal.code, expected, "{}: {refusal:?}", case.name);
                    assert!(["22000", "54000"].contains(&expected), "{}: {refusal:?}", case.name);
                    assert!(!refusal.hint.is_empty() && refusal.detail.contains(side), "{}: {refusal:?}", case.name);
                    errors += 1;
                }
            }
        }
    }
    let after = kilobytes(engine, "VmHWM");
    println!("{maps} maps, {errors} errors; the engine went from {} to at most {} MB", before >> 10, after >> 10);
    assert!(maps > 20 && errors > 20, "{maps} maps, {errors} errors");
    assert_eq!(server.engine(), engine, "the engine did not survive");
    assert!(after < before + (300 << 10), "memory grew from {before} to {after} KB");
}

#[test]
fn anybody_may_ask_for_one() {
    let server = Server::start();
    server.session().batch_execute("CREATE ROLE anna LOGIN").expect("a role");
    let mut anna = server.connect_to("postgres", "anna").expect("a session");
    assert_eq!(map(&mut anna, &bmp(1), &bmp(2)).height(), HEIGHT);
}

#[test]
fn a_cancel_and_a_timeout_end_the_wait() {
    let server = Server::start();
    let engine = server.engine();
    for (setting, cancelled) in [("SELECT 1", true), ("SET statement_timeout = 400", false)] {
        let mut client = server.session();
        features(&mut client, &bmp(1));
        client.batch_execute(setting).expect("a setting");
        let backend = backend_of(&mut client);
        assert!(process::send(engine, Signal::Stop));
        let waiting = thread::spawn(move || drawn(&mut client, &bmp(8), &bmp(9)).expect_err("the engine is stopped"));
        thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished(), "it did not wait for the engine");
        let start = Instant::now();
        if cancelled {
            let sql = "SELECT pg_cancel_backend($1)";
            server.session().execute(sql, &[&(backend as i32)]).expect("a superuser may");
        }
        let error = waiting.join().expect("the thread ends");
        let took = start.elapsed();
        assert!(process::send(engine, Signal::Continue));
        assert_eq!(Refusal::of(&error).expect("an ERROR").code, "57014");
        println!("{setting}: the wait ended after {} ms", took.as_millis());
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let mut client = server.session();
    eventually("nothing of it is left", START, || counter(&mut client, "queued") == 0);
    assert_eq!(map(&mut client, &bmp(8), &bmp(9)).height(), HEIGHT);
    assert_eq!(server.engine(), engine);
}

#[test]
fn many_sessions_draw_at_the_same_time() {
    let server = Server::start();
    let alone: Vec<Vec<u8>> =
        (0..4).map(|seed| drawn(&mut server.session(), &bmp(seed), &bmp(seed + 1)).expect("a map")).collect();
    thread::scope(|scope| {
        let sessions: Vec<_> = (0..4)
            .map(|seed| {
                let (server, alone) = (&server, &alone);
                scope.spawn(move || {
                    let mut client = server.session();
                    for _ in 0..10 {
                        let own = drawn(&mut client, &bmp(seed), &bmp(seed + 1)).expect("a map");
                        assert!(own == alone[seed as usize], "another map in company");
                        assert!(!features(&mut client, &bmp(seed)).is_empty());
                    }
                })
            })
            .collect();
        sessions.into_iter().for_each(|session| session.join().expect("a session"));
    });
    assert_eq!(counter(&mut server.session(), "queued"), 0);
}
