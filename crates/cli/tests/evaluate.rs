//! `grnet-engine eval` and `quantize`, as the program that users run, on images whose answers are known.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use grnet_data::rng::Rng;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

const ITEMS: u64 = 24;

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/base/base.safetensors")
}

/// A BMP of stripes in colours of its own; the second image shows another part in another light.
fn cloth(item: u64, image: u32) -> Vec<u8> {
    const SIDE: u32 = 64;
    let mut rng = Rng::new(item * 7919 + 1);
    let mut colour = || [(); 3].map(|()| 127.0 + 24.0 * rng.unit());
    let (ground, stripe) = (colour(), colour());
    let (across, down) = (rng.unit() * 0.4, rng.unit() * 0.4);
    let mut file = b"BM".to_vec();
    for value in [54 + SIDE * SIDE * 3, 0, 54, 40, SIDE, SIDE, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        file.extend(value.to_le_bytes());
    }
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y + 9 * image, x + 5 * image))) {
        let wave = (x as f32 * across + y as f32 * down).sin();
        let cloth = if wave > 0.0 { ground } else { stripe };
        file.extend(cloth.map(|value| (value * (1.0 - 0.25 * image as f32)) as u8));
    }
    file
}

/// Two images of each garment: `003-0.bmp` and `003-1.bmp`.
fn garments() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, image) in (0..ITEMS).flat_map(|number| [(number, 0), (number, 1)]) {
        fs::write(folder.path().join(format!("{number:03}-{image}.bmp")), cloth(number, image)).unwrap();
    }
    folder
}

fn evaluate(data: &Path, table: &str, more: &[&str]) -> Output {
    engine("eval", data, table, more)
}

fn engine(what: &str, data: &Path, table: &str, more: &[&str]) -> Output {
    let path = data.join("table.csv");
    fs::write(&path, table).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_grnet-engine"));
    command.arg(what).arg("--model").arg(base()).arg("--table").arg(path).args(more).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

/// Consumers' images of all garments against the shop's, in three strata.
fn consumers() -> String {
    let mut table = String::from("file,item,set,view,occlusion,cropping\n");
    for number in 0..ITEMS {
        let strata = ["front,none,none", "back,none,0.3", ",,"][number as usize % 3];
        table += &format!("{number:03}-0.bmp,{number},gallery,,,\n{number:03}-1.bmp,{number},consumer,{strata}\n");
    }
    table
}

/// The model `base` with its graph's readout turned round, and nothing else: what it liked most it likes least.
fn contrary(path: &Path) {
    let mut bytes = fs::read(base()).unwrap();
    let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    for (name, info) in metadata.tensors() {
        if name.starts_with("graph.readout") {
            assert_eq!(info.dtype, Dtype::F32);
            let (start, end) = info.data_offsets;
            // The sign is the highest bit of the last byte.
            bytes[8 + header + start..8 + header + end].chunks_exact_mut(4).for_each(|value| value[3] ^= 0x80);
        }
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn several_models_are_compared_on_the_same_queries_in_every_ranking_and_stratum() {
    let data = garments();
    let other = data.path().join("contrary.safetensors");
    contrary(&other);
    let page = data.path().join("page.html");
    let more = [
        "--json",
        "--baselines",
        "--model",
        other.to_str().unwrap(),
        "--html",
        page.to_str().unwrap(),
        "--shortlist",
        "22",
    ];
    let report = json(&evaluate(data.path(), &consumers(), &more));
    assert_eq!((&report["models"][0]["name"], &report["models"][1]["name"]), (&"base".into(), &"contrary".into()));
    let set = &report["sets"][0];
    let rankings = set["rankings"].as_array().unwrap();
    let names: Vec<&str> = rankings.iter().map(|ranking| ranking["name"].as_str().unwrap()).collect();
    // What only the backbone decides is told once: both models have the same.
    let own =
        ["backbone's global", "backbone's GeM", "backbone's R-MAC", "model's global", "pyramid mean", "best windows"];
    for name in own.iter().chain(&["attention matching", "graph"]) {
        assert!(names.contains(&format!("base: {name}").as_str()), "{name}: {names:?}");
    }
    let top = |name: &str| {
        let ranking = rankings.iter().find(|ranking| ranking["name"] == name).unwrap();
        ranking["top"].as_array().unwrap().iter().map(|k| k["value"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    for ranking in rankings {
        let curve: Vec<f64> = ranking["curve"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert!(curve.len() == 100 && curve.windows(2).all(|pair| pair[0] <= pair[1]));
        for (at, k) in [1, 5, 20, 50].into_iter().enumerate() {
            let [value, low, high] = ["value", "low", "high"].map(|end| ranking["top"][at][end].as_f64().unwrap());
            assert!(low <= value && value <= high && curve[k - 1] == value, "{ranking}");
        }
        for gain in ranking["gains"].as_array().unwrap() {
            let over = top(names[gain["over"].as_u64().unwrap() as usize]);
            for (k, over) in over.iter().enumerate() {
                let expected = top(ranking["name"].as_str().unwrap())[k] - over;
                assert!((gain["top"][k]["value"].as_f64().unwrap() - expected).abs() < 1e-9);
            }
        }
    }
    assert_eq!(names.iter().filter(|name| name.contains("backbone's")).count(), 3, "{names:?}");
    assert_eq!(top("base: model's global"), top("contrary: model's global"));
    assert!(top("base: graph")[0] > 0.3 && top("contrary: graph")[0] < 0.1);
    // The contrary graph against its own global, its backbone, and the first graph.
    let gains = rankings.last().unwrap()["gains"].as_array().unwrap();
    let over: BTreeSet<&str> = gains.iter().map(|gain| names[gain["over"].as_u64().unwrap() as usize]).collect();
    for name in ["contrary: model's global", "contrary: best windows", "base: graph"] {
        assert!(over.contains(name), "{over:?}");
    }
    assert!(over.contains("base: backbone's global") && !over.contains("base: model's global"), "{over:?}");

    // What it has not scored stays behind: among the first 22 it finds all that the global has there.
    let lengths = set["shortlists"][1]["lengths"].as_array().unwrap();
    assert_eq!(lengths.iter().map(|s| s["length"].as_u64().unwrap()).collect::<Vec<_>>(), [20, 22]);
    assert!(lengths.iter().all(|s| s["milliseconds"].as_f64().unwrap() > 0.0));
    assert!((lengths[0]["recall"].as_f64().unwrap() - lengths[0]["top"][2]["value"].as_f64().unwrap()).abs() < 1e-9);

    let strata = set["strata"].as_array().unwrap();
    let counted: Vec<(&str, u64)> =
        strata.iter().map(|s| (s["name"].as_str().unwrap(), s["queries"].as_u64().unwrap())).collect();
    assert_eq!(counted, [("easy", 8), ("hard-view", 8), ("hard-cropping", 8)]);
    assert_eq!(set["empty_strata"], serde_json::json!(["hard-occlusion"]));
    assert!(strata.iter().all(|s| s["rankings"].as_array().unwrap().len() == rankings.len()));
    // Both strata have the same queries.
    assert_eq!(strata[1]["rankings"], strata[2]["rankings"]);

    let page = fs::read_to_string(page).unwrap();
    for name in names {
        assert!(page.contains(name), "{name}");
    }
    assert!(page.contains("hard-cropping") && page.contains("data:image/jpeg") && page.contains("</html>"));
}

#[test]
fn the_table_says_what_is_gained_kept_and_left_out() {
    let data = garments();
    let shown = text(&evaluate(data.path(), &consumers(), &[]));
    assert!(shown.starts_with("consumer: 24 queries, 24 images in the gallery\n"), "{shown}");
    for line in [
        "graph - model's global",
        "graph - backbone's global",
        "kept by a shortlist of",
        "consumer, easy: 8 queries",
        "no query is hard-occlusion",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("ms a query") && !shown.contains("R-MAC"), "{shown}");
    let timed = text(&evaluate(data.path(), &consumers(), &["--times"]));
    assert!(timed.contains("ms a query") && !timed.contains("kept by"), "{timed}");
}

#[test]
fn images_that_do_not_count_are_left_out_and_counted() {
    let folder = garments();
    let data = folder.path();
    for name in ["broken.jpg", "other.jpg"] {
        fs::write(data.join(name), b"no image").unwrap();
    }
    // Every garment asks for itself with its own image: first, unless queries and items are shifted.
    let mut table = String::from("file,item,set\nbroken.jpg,0,gallery\n001-1.bmp,,same\nother.jpg,2,same\n");
    for number in 0..20 {
        table += &format!("{number:03}-0.bmp,{number},gallery\n{number:03}-0.bmp,{number},same\n");
    }
    table += "022-0.bmp,22,same\n";
    let maps = data.join("maps");
    let kept = ["--json", "--cache", maps.to_str().unwrap()];
    let report = json(&evaluate(data, &table, &kept));
    let set = &report["sets"][0];
    for (field, expected) in
        [("queries", 21), ("gallery", 20), ("unreadable", 2), ("without_item", 1), ("not_in_gallery", 1)]
    {
        assert_eq!(set[field], expected, "{field}: {set}");
    }
    // 20 of 21, also among the first 50 of a gallery of 20; and nothing is wrong that could be shown.
    let global = set["rankings"].as_array().unwrap().iter().find(|r| r["method"] == "global").unwrap();
    for k in 0..4 {
        assert!((global["top"][k]["value"].as_f64().unwrap() - 20.0 / 21.0).abs() < 1e-9, "{set}");
    }
    assert_eq!(set["strata"], serde_json::json!([]));
    // Neither maps that pass a few at a time nor rankings beside them change a figure.
    for more in [&["--json"][..], &["--json", "--baselines"]] {
        let other = json(&evaluate(data, &table, more));
        for ranking in set["rankings"].as_array().unwrap() {
            let same = |other: &&Value| other["method"] == ranking["method"];
            let other = other["sets"][0]["rankings"].as_array().unwrap().iter().find(same).unwrap();
            assert_eq!((&other["top"], &other["curve"]), (&ranking["top"], &ranking["curve"]), "{more:?}");
        }
    }
    // What was kept is read again, and is the same.
    assert_eq!(json(&evaluate(data, &table, &kept)), report);
    // In another table the same name is another garment.
    let other = data.join("other.csv");
    fs::write(&other, "file,item,set\n001-0.bmp,1,other\n").unwrap();
    let report = json(&evaluate(data, &table, &["--json", "--table", other.to_str().unwrap()]));
    let set = &report["sets"][0];
    assert_eq!((&set["set"], &set["not_in_gallery"]), (&Value::from("other"), &Value::from(1)));
}

#[test]
fn a_failure_is_told_with_its_ranks_and_what_stands_in_front() {
    let folder = garments();
    let data = folder.path();
    // The query is a copy of garment 5's image, and its item says that it is garment 6.
    fs::copy(data.join("005-0.bmp"), data.join("query.bmp")).unwrap();
    let mut table = String::from("file,item,set\nquery.bmp,6,wrong\n");
    for number in 0..ITEMS {
        table += &format!("{number:03}-0.bmp,{number},gallery\n");
    }
    let report = json(&evaluate(data, &table, &["--json"]));
    let failure = &report["sets"][0]["failures"][0];
    let ends = |image: &Value, name: &str| image["file"].as_str().unwrap().ends_with(name);
    assert!(ends(&failure["query"], "query.bmp") && ends(&failure["right"], "006-0.bmp"), "{failure}");
    assert!(ends(&failure["ahead"][0], "005-0.bmp"), "{failure}");
    let (rank, ahead) = (failure["rank"].as_u64().unwrap(), failure["ahead"].as_array().unwrap().len() as u64);
    assert!(rank >= 2 && failure["global_rank"].as_u64().unwrap() >= 2);
    assert_eq!(ahead, (rank - 1).min(5));
}

#[test]
fn an_evaluation_that_says_nothing_is_one_clear_error() {
    let folder = garments();
    let data = folder.path();
    let refused = |table: &str, more: &[&str]| {
        let output = evaluate(data, table, more);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()
    };
    let only = "file,item,set\n001-0.bmp,1,gallery\n002-0.bmp,2,gallery\n";
    assert!(refused(only, &[]).contains("all of 2 rows"), "{}", refused(only, &[]));
    assert!(refused("file,item,set\n001-0.bmp,1,a\n", &[]).contains("none of 1 rows"));
    let nobody = format!("{only}003-0.bmp,,a\n");
    assert!(refused(&nobody, &[]).contains("none of the 1 images of the set `a`"), "{}", refused(&nobody, &[]));
    assert!(refused(&nobody, &["--shortlist", "0"]).contains("--shortlist is 0"));
    // A page that cannot be written is known before the work, and a second model that is none before the images.
    assert!(refused(&nobody, &["--html", "missing/page.html"]).contains("missing/page.html"));
    let table = data.join("table.csv");
    let broken = refused(&nobody, &["--model", table.to_str().unwrap()]);
    assert!(!broken.contains("images"), "{broken}");
    let boxed = "file,item,set,left,top,width,height\n001-0.bmp,1,gallery,1,2,3,\n";
    assert!(refused(boxed, &[]).contains("line 2"), "{}", refused(boxed, &[]));
}

#[test]
fn what_eight_bits_cost_is_measured_on_the_queries_that_eval_asks() {
    let data = garments();
    let more = ["--json", "--shortlist", "22", "--threads", "2"];
    let report = json(&engine("quantize", data.path(), &consumers(), &more));
    let eval = json(&evaluate(data.path(), &consumers(), &more));
    let (set, asked) = (&report["sets"][0], &eval["sets"][0]);
    for field in ["set", "queries", "gallery", "unreadable", "without_item"] {
        assert_eq!(set[field], asked[field], "{field}");
    }
    let variants = set["variants"].as_array().unwrap();
    let stored: Vec<_> = variants.iter().map(|v| (v["name"].as_str().unwrap(), v["bytes"].as_u64().unwrap())).collect();
    // 36 bytes of header, 14 regions of 256 numbers, a scale for each of i8's.
    assert_eq!(stored, [("f32", 14_372), ("f16", 7_204), ("i8", 3_676), ("i8 asked with f16", 3_676)]);
    // In f32 the server ranks as the network does.
    for method in ["global", "graph"] {
        let ranking = asked["rankings"].as_array().unwrap().iter().find(|r| r["method"] == method).unwrap();
        assert_eq!(variants[0][method], ranking["top"], "{method}");
    }
    assert!(variants[1]["against"].is_null());
    let moved = |at: usize, what: &str, how: &str| variants[at]["against"][what][how].as_f64().unwrap();
    for what in ["logit", "cosine"] {
        for at in [0, 2, 3] {
            assert!(
                0.0 < moved(at, what, "mean") && moved(at, what, "mean") <= moved(at, what, "largest"),
                "{what} {at}"
            );
        }
        assert!(moved(0, what, "mean") * 4.0 < moved(2, what, "mean"), "{what}: halves move less than eight bits");
    }
    for at in [0, 2, 3] {
        let against = &variants[at]["against"];
        let [same, common] = ["same_first", "common_first"].map(|share| against[share].as_f64().unwrap());
        assert!(0.0 <= same && same <= common && common <= 1.0 && common > 0.8, "{against}");
        for (k, method) in (0..4).flat_map(|k| [(k, "global"), (k, "graph")]) {
            let share = |variant: &Value| variant[method][k]["value"].as_f64().unwrap();
            let expected = share(&variants[at]) - share(&variants[1]);
            let got = &against[method][k];
            let [value, low, high] = ["value", "low", "high"].map(|end| got[end].as_f64().unwrap());
            assert!((value - expected).abs() < 1e-9 && low <= value && value <= high, "{method} {k}: {got}");
        }
    }
    let shown = text(&engine("quantize", data.path(), &consumers(), &more[1..]));
    for line in [
        "consumer: 24 queries, 24 images in the gallery",
        "graph, i8 - f16",
        "global, i8 asked with f16 - f16",
        "moved from f16",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let refused = engine("quantize", data.path(), &consumers(), &["--shortlist", "0"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--shortlist"));
}
