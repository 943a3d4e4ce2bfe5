//! The contact sheet: a query on the left, its answer by the graph on the right, by the global vector below.

use crate::drawing::{self, Area};
use crate::failure::Result;
use crate::plan::Plan;
use crate::ranking::{Answer, PLACES, Ranking, Searched, TOPS};
use crate::text::{self, Style};
use crate::thumbnails::Thumbnails;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use tiny_skia::{Color, Pixmap, PixmapMut};

const PAPER: [u8; 3] = [250, 249, 247];
const CARD: [u8; 3] = [255, 255, 255];
const LINE: [u8; 3] = [228, 226, 221];
const INK: [u8; 3] = [28, 30, 34];
const GREY: [u8; 3] = [112, 114, 120];
const GREEN: [u8; 3] = [22, 150, 84];
const CHIP: [u8; 3] = [238, 240, 246];

const MARGIN: f32 = 36.0;
const HEAD: f32 = 132.0;
const PAD: f32 = 20.0;
/// The query's picture.
const QUERY: f32 = 244.0;
/// The graph's pictures, and the vector's.
const LARGE: f32 = 138.0;
const SMALL: f32 = 92.0;
const GAP: f32 = 14.0;
/// A row's height: captions, pictures and scores of both answers.
const CARD_HEIGHT: f32 = PAD * 2.0 + 24.0 + LARGE + 40.0 + 22.0 + SMALL + 18.0;
const RIGHT: f32 = MARGIN + PAD + QUERY + 32.0;
const WIDTH: f32 = RIGHT + PLACES as f32 * (LARGE + GAP) - GAP + PAD + MARGIN;

const fn style(size: f32, colour: [u8; 3], bold: bool) -> Style {
    Style { size, colour, bold }
}

/// Draws the sheet.
pub fn draw(plan: &Plan, ranking: &Ranking, shown: &[&Searched], thumbnails: &Thumbnails) -> RgbImage {
    let pitch = CARD_HEIGHT + 16.0;
    let height = HEAD + shown.len() as f32 * pitch + MARGIN - 16.0;
    let Some(mut pixmap) = Pixmap::new(WIDTH as u32, height as u32) else {
        return RgbImage::default();
    };
    pixmap.fill(Color::from_rgba8(PAPER[0], PAPER[1], PAPER[2], 255));
    let mut canvas = pixmap.as_mut();
    head(&mut canvas, plan, ranking, shown.len());
    for (place, one) in shown.iter().enumerate() {
        card(&mut canvas, HEAD + place as f32 * pitch, one, thumbnails);
    }
    let opaque = pixmap.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    RgbImage::from_raw(pixmap.width(), pixmap.height(), opaque.collect()).unwrap_or_default()
}

fn head(canvas: &mut PixmapMut, plan: &Plan, ranking: &Ranking, shown: usize) {
    text::draw(canvas, "Same-garment search in PostgreSQL", (MARGIN, 62.0), style(33.0, INK, true));
    let all = ranking.searched.len();
    let which = if shown < all { format!("; {shown} of {all} are shown") } else { String::new() };
    let line = format!("{}{which}", plan.heading);
    text::draw(canvas, &line, (MARGIN, 92.0), style(18.0, GREY, false));
    let figures = ranking.figures();
    let Some(figures) = figures.first() else { return };
    let column = 78.0;
    let left = WIDTH - MARGIN - column * TOPS.len() as f32;
    for (place, top) in TOPS.iter().enumerate() {
        let x = left + column * (place + 1) as f32;
        right(canvas, &format!("top-{top}"), (x, 44.0), style(15.0, GREY, false));
        let graph = style(19.0, GREEN, true);
        right(canvas, &format!("{:.3}", figures.graph[place]), (x, 72.0), graph);
        let global = style(17.0, GREY, false);
        right(canvas, &format!("{:.3}", figures.global[place]), (x, 98.0), global);
    }
    right(canvas, "Graph", (left, 72.0), style(17.0, GREEN, true));
    right(canvas, "Global vector", (left, 98.0), style(17.0, GREY, false));
}

/// A line that ends at a point.
fn right(canvas: &mut PixmapMut, line: &str, (x, y): (f32, f32), style: Style) {
    text::draw(canvas, line, (x - text::width(line, style), y), style);
}

fn centred(canvas: &mut PixmapMut, line: &str, (x, y): (f32, f32), style: Style) {
    text::draw(canvas, line, (x - text::width(line, style) / 2.0, y), style);
}

fn card(canvas: &mut PixmapMut, top: f32, one: &Searched, thumbnails: &Thumbnails) {
    let area = Area { x: MARGIN, y: top, w: WIDTH - 2.0 * MARGIN, h: CARD_HEIGHT };
    drawing::fill(canvas, area, 14.0, CARD);
    drawing::frame(canvas, area, 14.0, 1.0, LINE);

    let left = MARGIN + PAD;
    let picture = thumbnails.query(&one.id);
    let longer = picture.width().max(picture.height()).max(1) as f32;
    let side = |length: u32| QUERY * length as f32 / longer;
    let photo = Area { x: left, y: top + PAD, w: side(picture.width()), h: side(picture.height()) };
    let photo = drawing::picture(canvas, picture, photo, 8.0);
    let mut y = photo.y + photo.h + 24.0;
    let title = style(16.0, INK, false);
    for line in text::wrapped(&one.title, QUERY, 2, title) {
        text::draw(canvas, &line, (left, y), title);
        y += 21.0;
    }
    let label = style(14.0, GREY, false);
    let chip = Area { x: left, y: y - 9.0, w: text::width(&one.stratum, label) + 20.0, h: 24.0 };
    drawing::fill(canvas, chip, 12.0, CHIP);
    text::draw(canvas, &one.stratum, (chip.x + 10.0, chip.y + 17.0), label);

    let y = top + PAD;
    caption(canvas, "Graph", one.answerable, &one.graph, (RIGHT, y + 13.0), 17.0);
    let row = Row { y: y + 24.0, side: LARGE, radius: 7.0, text: 15.0, graph: true };
    answer(canvas, &one.graph, thumbnails, &row);
    let y = row.y + LARGE + 40.0;
    caption(canvas, "Global vector", one.answerable, &one.global, (RIGHT, y + 13.0), 15.0);
    let row = Row { y: y + 22.0, side: SMALL, radius: 5.0, text: 13.0, graph: false };
    answer(canvas, &one.global, thumbnails, &row);
}

fn caption(canvas: &mut PixmapMut, who: &str, answerable: bool, answer: &Answer, (x, y): (f32, f32), size: f32) {
    text::draw(canvas, who, (x, y), style(size, INK, true));
    let Some(rank) = answer.rank.filter(|_| answerable) else { return };
    let start = x + text::width(who, style(size, INK, true)) + 12.0;
    let colour = if rank == 1 { GREEN } else { GREY };
    text::draw(canvas, &place_in_words(rank), (start, y), style(size - 1.0, colour, false));
}

/// Where the right garment stands.
pub fn place_in_words(rank: usize) -> String {
    if rank == 1 { "the right one comes first".to_owned() } else { format!("the right one comes at place {rank}") }
}

struct Row {
    y: f32,
    side: f32,
    radius: f32,
    text: f32,
    graph: bool,
}

fn answer(canvas: &mut PixmapMut, answer: &Answer, thumbnails: &Thumbnails, row: &Row) {
    for (place, found) in answer.matches.iter().enumerate() {
        let x = RIGHT + place as f32 * (row.side + GAP);
        let area = Area { x, y: row.y, w: row.side, h: row.side };
        let picture = drawing::picture(canvas, thumbnails.item(&found.id), area, row.radius);
        let colour = if found.right {
            drawing::frame(canvas, picture.grown(1.5), row.radius + 1.5, 4.0, GREEN);
            GREEN
        } else {
            drawing::frame(canvas, picture, row.radius, 1.0, LINE);
            GREY
        };
        let number = if row.graph { probability(found.score) } else { format!("{:.3}", found.score) };
        let below = (x + row.side / 2.0, row.y + row.side + row.text + 4.0);
        centred(canvas, &number, below, style(row.text, colour, found.right));
    }
}

/// A matching probability; where three digits would print 1 or 0, as many as it takes.
pub fn probability(score: f64) -> String {
    match score {
        s if s >= 0.9995 => format!("1 − {:.0e}", 1.0 - s),
        s if s < 0.0005 => format!("{s:.0e}"),
        s => format!("{s:.3}"),
    }
}

/// The sheet as PNG.
///
/// # Errors
/// The encoder's own.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive).write_image(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_near_their_ends_keep_their_difference() {
        assert_eq!(probability(0.5), "0.500");
        assert_eq!(probability(0.99999), "1 − 1e-5");
        assert_eq!(probability(0.000_000_31), "3e-7");
        assert_eq!((probability(0.0), probability(1.0)), ("0e0".into(), "1 − 0e0".into()));
    }
}
