//! Hostile images through SQL: features, or one ERROR that names the reason; the engine lives on and stays small.
//!
//! A set of its own is built here and always runs. `GRNET_HOSTILE` may name a folder with a `manifest.csv`
//! (`file,bytes,expect,why`; `expect` is `ok`, `error` or `ok-or-error`) whose files run as well.

use std::path::Path;

use grnet_tests::hostile::{Case, Expect, cases};
use grnet_tests::images::{bmp, picture, png_with_orientation, stored_for};
use grnet_tests::processes::kilobytes;
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{Server, backend_of, features, try_features};
use postgres::Client;

/// How much an engine (at its peak too) or a backend may grow over a set: one image of 64 million pixels alone takes up
/// to 1 GB while it is decoded, none of the files here does.
const GROWTH_KB: u64 = 300 << 10;

/// What became of a file: the features, or SQLSTATE and message.
fn outcome(client: &mut Client, case: &Case) -> Result<Vec<u8>, Refusal> {
    try_features(client, &case.bytes).map_err(|error| {
        Refusal::of(&error).unwrap_or_else(|| panic!("{}: the session was lost: {error:?}", case.name))
    })
}

/// What is wrong with what became of a file.
fn complaint(case: &Case, outcome: &Result<Vec<u8>, Refusal>) -> Option<String> {
    let complain = |text: &str| Some(format!("{}: {text}: {:?}", case.name, outcome.as_ref().map(Vec::len)));
    match (outcome, case.expect) {
        (Ok(_), Expect::Refused(_)) => complain("it was accepted"),
        (Err(_), Expect::Features) => complain("it was refused"),
        (Err(refusal), _) if !["22000", "54000"].contains(&refusal.code.as_str()) => complain("another SQLSTATE"),
        (Err(refusal), _) if refusal.message.is_empty() || refusal.hint.is_empty() => complain("no reason or no hint"),
        (Err(refusal), Expect::Refused(code)) if refusal.code != code => complain(&format!("not {code}")),
        _ => None,
    }
}

/// Runs all files, twice, in one session; every complaint is collected before the test fails.
fn run(what: &str, cases: &[Case]) {
    let server = Server::start();
    let mut client = server.session();
    // Something of everything has been allocated before it is measured.
    for seed in 0..20 {
        features(&mut client, &bmp(seed));
    }
    let (engine, backend) = (server.engine(), backend_of(&mut client));
    let size = |pid| kilobytes(pid, "VmRSS");
    let before = (size(engine), size(backend));
    let mut complaints = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    let first: Vec<_> = cases.iter().map(|case| outcome(&mut client, case)).collect();
    for (case, outcome) in cases.iter().zip(&first) {
        complaints.extend(complaint(case, outcome));
        if outcome.is_ok() { accepted += 1 } else { refused += 1 }
    }
    for (case, before) in cases.iter().zip(&first) {
        let again = outcome(&mut client, case);
        if again != *before {
            complaints.push(format!("{}: another outcome the second time: {:?}", case.name, again.map(|f| f.len())));
        }
    }
    let after = (size(engine), size(backend), kilobytes(engine, "VmHWM"));
    println!(
        "{what}: {} files, {accepted} accepted, {refused} refused; the engine went from {} to {} MB (peak {} MB), \
         the backend from {} to {} MB",
        cases.len(),
        before.0 >> 10,
        after.0 >> 10,
        after.2 >> 10,
        before.1 >> 10,
        after.1 >> 10,
    );
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(server.engines(), [engine], "the engine did not survive");
    assert_eq!(server.engine(), engine);
    assert!(after.2 < before.0 + GROWTH_KB && after.1 < before.1 + GROWTH_KB, "memory grew");
}

#[test]
fn the_set_built_here() {
    let cases = cases();
    assert!(cases.len() >= 40);
    run("own set", &cases);
}

#[test]
fn the_folder_that_the_environment_names() {
    let Some(folder) = std::env::var_os("GRNET_HOSTILE") else {
        println!("GRNET_HOSTILE is not set: only the test's own set ran");
        return;
    };
    let folder = Path::new(&folder);
    let manifest = std::fs::read_to_string(folder.join("manifest.csv")).expect("GRNET_HOSTILE has a manifest.csv");
    let case = |line: &str| {
        let mut fields = line.splitn(4, ',');
        let (name, _, expect) = (fields.next()?, fields.next()?, fields.next()?);
        let expect = match expect {
            "ok" => Expect::Features,
            "error" => Expect::Refused(""),
            "ok-or-error" => Expect::Either,
            other => panic!("{name}: expect is {other:?}"),
        };
        let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Some(Case { name: name.to_owned(), bytes, expect })
    };
    let mut cases: Vec<Case> = manifest.lines().skip(1).filter_map(case).collect();
    assert!(!cases.is_empty(), "the manifest is empty");
    // The manifest does not say which SQLSTATE: either of the two.
    let all = cases.len();
    let mut errors: Vec<Case> = cases.extract_if(.., |case| case.expect == Expect::Refused("")).collect();
    for case in &mut errors {
        case.expect = Expect::Either;
    }
    must_be_refused(&errors);
    cases.extend(errors);
    assert_eq!(cases.len(), all);
    run(&format!("{}", folder.display()), &cases);
}

/// Files that must be refused, whatever the SQLSTATE.
fn must_be_refused(cases: &[Case]) {
    let server = Server::start();
    let mut client = server.session();
    let accepted = cases.iter().filter(|case| outcome(&mut client, case).is_ok());
    let accepted: Vec<&str> = accepted.map(|case| case.name.as_str()).collect();
    assert!(accepted.is_empty(), "accepted, and must not be: {accepted:?}");
}

#[test]
fn null_empty_and_giant_values() {
    let server = Server::start();
    let mut client = server.session();
    let engine = server.engine();
    let row = client.query_one(
        "SELECT grnet_embed(NULL::bytea) IS NULL, grnet_embed_images(NULL) IS NULL, \
                                grnet_embed_images(ARRAY[NULL]::bytea[]) = ARRAY[NULL]::grnet_features[] IS NOT FALSE, \
                                cardinality(grnet_embed_images('{}'))",
        &[],
    );
    let row = row.expect("NULL in, NULL out");
    assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1) && row.get::<_, bool>(2));
    assert_eq!(row.get::<_, i32>(3), 0);
    for (sql, words) in [
        ("SELECT grnet_embed(repeat('x', 1000000000)::bytea)", "image has 1000000000 bytes, the limit is 33554432"),
        ("SELECT grnet_embed(repeat('x', 33554433)::bytea)", "image has 33554433 bytes"),
        ("SELECT grnet_embed_images(ARRAY['x', repeat('x', 40000000)::bytea])", "image has 40000000 bytes"),
        ("SELECT grnet_embed_images(array_fill('x'::bytea, ARRAY[100000]))", "100000 images in one call"),
    ] {
        let refusal = grnet_tests::refusal::assert_refused(&mut client, sql, "54000", words);
        assert!(!refusal.hint.is_empty(), "{refusal:?}");
    }
    // A bomb is refused by its header whatever the user's own limit is.
    client.batch_execute("SET grnet.max_image_pixels = 1000").expect("a superuser may");
    let error = try_features(&mut client, &grnet_tests::images::encode(&picture(1, 40, 40), image::ImageFormat::Png));
    let refusal = Refusal::of(&error.expect_err("1,600 pixels")).expect("an ERROR");
    assert!(refusal.code == "54000" && refusal.message.contains("1600"), "{refusal:?}");
    assert_eq!(server.engine(), engine);
}

#[test]
fn eight_orientations_of_one_picture_are_one_picture() {
    let server = Server::start();
    let mut client = server.session();
    let upright = picture(21, 48, 36);
    let mut first = None;
    for orientation in 1..=8 {
        let image = png_with_orientation(&stored_for(&upright, orientation), orientation);
        let sql = "SELECT array_agg(v ORDER BY scale, row, col, n) \
                   FROM grnet_regions(grnet_embed($1)), unnest(value) WITH ORDINALITY AS u (v, n)";
        let own: Vec<f32> = client.query_one(sql, &[&image]).expect("regions").get(0);
        let first = first.get_or_insert_with(|| own.clone());
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = dot(&own, first) / (dot(&own, &own) * dot(first, first)).sqrt();
        println!("EXIF orientation {orientation}: cosine {cosine:.6}");
        assert!(cosine > 0.999, "orientation {orientation}: {cosine}");
    }
    // And the turn is no accident: without its EXIF block the stored picture is another one.
    let turned = features(&mut client, &grnet_tests::images::encode(&stored_for(&upright, 3), image::ImageFormat::Png));
    let plain = features(&mut client, &grnet_tests::images::encode(&upright, image::ImageFormat::Png));
    assert_ne!(turned[36..], plain[36..]);
}
