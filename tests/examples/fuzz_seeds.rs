//! Writes first inputs for the fuzz targets into a folder: `cargo run -p grnet-tests --example fuzz_seeds -- fuzz/corpus`.

use std::fs;
use std::io;
use std::path::Path;

use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, ImageDigest, encode, to_text};
use grnet_tests::hostile;
use grnet_wire::{
    Failure, Image, ImageFault, ImageRefusal, JobImage, JobKind, Outcome, PROTOCOL, Region, Reply, Request, Stats,
};

fn write(folder: &Path, target: &str, seeds: &[Vec<u8>]) -> io::Result<()> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed)?;
    }
    println!("{}: {} files", folder.display(), seeds.len());
    Ok(())
}

fn features() -> Vec<Vec<u8>> {
    let shapes: [(&[u8], usize); 3] = [(&[1], 1), (&[1, 2], 4), (&[1, 2, 3], 8)];
    let mut seeds = Vec::new();
    for (grids, channels) in shapes {
        let regions: usize = grids.iter().map(|&grid| usize::from(grid) * usize::from(grid)).sum();
        let values: Vec<f32> = (0..regions * channels).map(|n| n as f32 / 7.0 - 1.0).collect();
        for dtype in [Dtype::F32, Dtype::F16, Dtype::I8] {
            let value = encode(ModelId([7; 8]), ImageDigest([9; 16]), grids, channels, dtype, &values);
            let value = value.expect("a valid shape");
            seeds.push(to_text(&value).into_bytes());
            seeds.push(value);
        }
    }
    seeds
}

fn wire() -> Vec<Vec<u8>> {
    let (id, model) = (7, ModelId([3; 8]));
    let region = Some(Region { left: 1.0, top: 2.0, width: 3.0, height: 4.0 });
    let images = vec![Image { bytes: b"an image", region: None }, Image { bytes: b"", region }];
    let requests = [
        Request::Hello { protocol: PROTOCOL, pid: 1 },
        Request::Embed { id, model, deadline_ms: 9, max_bytes: 10, max_pixels: 11, images },
        Request::Model { id, file: b"a file" },
        Request::Stats { id },
        Request::Job { id, kind: JobKind::Train, database: "d", name: "n", options: "{}", file: b"a file" },
        Request::Images {
            id,
            images: vec![JobImage {
                bytes: b"a",
                region,
                item: Some("1"),
                shop: true,
                set: "s",
                strata: ["side", "", "0.3"],
            }],
        },
        Request::Piece { id, offset: 5 },
    ];
    let refusal = ImageRefusal { fault: ImageFault::BadImage, message: "no".into(), hint: None };
    let replies = [
        Reply::Hello { protocol: PROTOCOL, pid: 1 },
        Reply::Refused { reason: "no".into() },
        Reply::Features { id, images: vec![Outcome::Features(vec![1, 2]), Outcome::Refused(refusal)] },
        Reply::NeedModel { id, model },
        Reply::ModelReady { id, model },
        Reply::Failed { id, failure: Failure::Busy { queued: 1, limit: 2 } },
        Reply::Failed { id, failure: Failure::Engine("no".into()) },
        Reply::Stats { id, stats: Stats { models: vec![model], ..Stats::default() } },
        Reply::Finished { id, report: "{}".into(), words: vec!["no".into()], model_bytes: 6 },
        Reply::Piece { id, bytes: vec![1, 2, 3] },
    ];
    let requests = requests.iter().map(grnet_wire::encode_request);
    let replies = replies.iter().map(grnet_wire::encode_reply);
    let mut seeds: Vec<Vec<u8>> = requests.chain(replies).map(|message| message.expect("a message")).collect();
    let frames = seeds.iter().flat_map(|seed| [&(seed.len() as u32).to_le_bytes(), &seed[..]].concat()).collect();
    seeds.push(frames);
    seeds
}

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).expect("usage: fuzz_seeds FOLDER");
    let folder = Path::new(&folder);
    write(folder, "features", &features())?;
    write(folder, "wire", &wire())?;
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tiny/tiny.safetensors");
    write(folder, "model", &[fs::read(tiny)?])?;
    let mut images: Vec<Vec<u8>> = hostile::cases().into_iter().map(|case| case.bytes).collect();
    // What is odd in files that people have, and how it is shown.
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/image/tests/data/pillow"))? {
        images.push(fs::read(file?.path())?);
    }
    write(folder, "image", &images)
}
