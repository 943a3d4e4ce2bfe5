//! The sheet of failures, with small copies of the images inside the page.

use std::collections::HashMap;

use base64::Engine as _;
use grnet_data::dataset::image::Image;
use grnet_image::{Fit, Limits};
use maud::{Markup, html};
use mozjpeg::{ColorSpace, Compress};

use crate::report::{Failure, Shown};

/// Side of a small image in pixels, and the JPEG's quality: about 4 kB each.
const SIDE: u32 = 128;
const QUALITY: f32 = 78.0;

/// The failures. An image that cannot be read any more leaves its place empty and keeps its name.
pub fn sheet(failures: &[Failure], images: &[Image]) -> Markup {
    let mut small: HashMap<usize, Option<String>> = HashMap::new();
    let mut shown = |shown: &Shown, text: &str, class: &str| {
        let data = small.entry(shown.image).or_insert_with(|| images.get(shown.image).and_then(data)).as_deref();
        html! {
            figure class=(class) {
                @if let Some(data) = data { img src=(data) alt=(shown.file) title=(shown.file) width=(SIDE) height=(SIDE); }
                @else { div.gone title=(shown.file) { "not readable" } }
                figcaption { (text) }
            }
        }
    };
    html! {
        div.sheet { @for failure in failures { div.failure {
            (shown(&failure.query, "query", "query"))
            (shown(&failure.right, &position(failure), "right"))
            div.ahead { @for (at, image) in failure.ahead.iter().enumerate() { (shown(image, &format!("{}", at + 1), "wrong")) } }
        } } }
    }
}

fn position(failure: &Failure) -> String {
    let global = failure.global_rank.map_or("none".to_owned(), |rank| rank.to_string());
    format!("rank {} (global {global})", failure.rank)
}

/// The image as its model sees it, box and white borders included, as the address of an image.
fn data(image: &Image) -> Option<String> {
    let bytes = std::fs::read(&image.path).ok()?;
    let prepared =
        grnet_image::prepare(&bytes, image.region.as_ref(), Fit::Letterbox, SIDE, &Limits::default()).ok()?;
    let mut picture = Compress::new(ColorSpace::JCS_RGB);
    picture.set_size(SIDE as usize, SIDE as usize);
    picture.set_quality(QUALITY);
    let mut picture = picture.start_compress(Vec::new()).ok()?;
    picture.write_scanlines(&prepared.pixels).ok()?;
    let jpeg = picture.finish().ok()?;
    Some(format!("data:image/jpeg;base64,{}", base64::engine::general_purpose::STANDARD.encode(jpeg)))
}
