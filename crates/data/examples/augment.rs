//! Augmented images a second on one core: `snapshots FOLDER [SECONDS]`. The processor's time counts, not that of the
//! clock: other programs do not change it.

use std::time::Instant;

use grnet_data::augment::augmentation::{Augmentation, Kind};
use grnet_image::{Fit, Limits, Picture};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("give a folder of images")?;
    let seconds = args.next().map_or(Ok(3.0), |s| s.parse())?;
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let start = Instant::now();
    let pictures: Vec<Picture> = paths
        .iter()
        .step_by((paths.len() / 64).max(1))
        .filter_map(|path| grnet_image::picture(&std::fs::read(path).ok()?, None, 448, &Limits::default()).ok())
        .collect();
    println!(
        "{} images decoded, {:.2} ms each",
        pictures.len(),
        start.elapsed().as_secs_f64() * 1e3 / pictures.len() as f64
    );
    let others: Vec<&Picture> = pictures.iter().collect();
    let all = Augmentation::default();
    let bare =
        Augmentation { occluders: [0.0; 2], elsewhere: 0.0, blurred: 0.0, reduced: 0.0, noisy: 0.0, ..all.clone() };
    let only = |change: fn(&mut Augmentation)| {
        let mut changed = bare.clone();
        change(&mut changed);
        changed
    };
    for (name, augmentation, kind) in [
        ("as a shop's", all.clone(), Kind::Shop),
        ("as consumers'", all.clone(), Kind::Consumer),
        ("  view and light only", bare.clone(), Kind::Consumer),
        ("  and always elsewhere", only(|i| i.elsewhere = 1.0), Kind::Consumer),
        ("  and two in the way", only(|i| i.occluders = [0.0, 1.0]), Kind::Consumer),
        ("  and blurred", only(|i| i.blurred = 1.0), Kind::Consumer),
        ("  and reduced", only(|i| i.reduced = 1.0), Kind::Consumer),
        ("  and noisy", only(|i| i.noisy = 1.0), Kind::Consumer),
    ] {
        let (start, mut count) = (processor_time()?, 0u64);
        while processor_time()? - start < seconds {
            for picture in &pictures {
                std::hint::black_box(augmentation.apply(picture, &others, kind, 224, Fit::Letterbox, count));
                count += 1;
            }
        }
        println!("{name:25} {:7.0} a second", count as f64 / (processor_time()? - start));
    }
    Ok(())
}

/// Seconds that this thread ran.
fn processor_time() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().ok_or("the kernel does not count")?;
    Ok(first.parse::<f64>()? / 1e9)
}
