//! Why the best match matches: the windows that the graph paired and listened to, drawn over both photos.

use crate::failure::{Failure, Result};
use crate::page::data_uri;
use crate::statements;
use image::RgbImage;
use postgres::Client;
use std::fmt::Write as _;

/// Pairs of windows that are drawn.
const DRAWN: usize = 4;
const COLOURS: [&str; DRAWN] = ["#e5484d", "#0091ff", "#f5a524", "#8e4ec6"];
/// Units of the picture's height, and between both photos.
const HEIGHT: f64 = 300.0;
const GAP: f64 = 56.0;

/// A pair of windows.
#[derive(Debug, Clone, PartialEq)]
struct Edge {
    grid: i32,
    query: (i32, i32),
    item: (i32, i32),
    similarity: f32,
    weight: f64,
}

/// The explanation of a match as HTML; empty where nothing stands out.
///
/// # Errors
/// A statement failed.
pub fn draw(client: &mut Client, ids: (&str, &str), pictures: (&RgbImage, &RgbImage)) -> Result<String> {
    let rows = client.query(statements::EXPLAIN, &[&ids.0, &ids.1]).map_err(Failure::sql("explaining a match"))?;
    let edges: Vec<Edge> = rows
        .iter()
        .map(|row| Edge {
            grid: row.get(7),
            query: (row.get(1), row.get(2)),
            item: (row.get(3), row.get(4)),
            similarity: row.get(5),
            weight: row.get(6),
        })
        .collect();
    let edges = striking(edges, pictures);
    Ok(if edges.is_empty() { String::new() } else { svg(&edges, pictures)? })
}

/// The first edges whose windows show something, each window once.
fn striking(edges: Vec<Edge>, (query, item): (&RgbImage, &RgbImage)) -> Vec<Edge> {
    let mut kept: Vec<Edge> = Vec::new();
    for edge in edges {
        let again =
            kept.iter().any(|other| other.grid == edge.grid && (other.query == edge.query || other.item == edge.item));
        let seen = window(query, edge.grid, edge.query).is_some() && window(item, edge.grid, edge.item).is_some();
        if seen && !again && kept.len() < DRAWN {
            kept.push(edge);
        }
    }
    kept
}

/// A window in shares of the photo (left, top, width, height); `None` where it lies mostly on the white beside it.
fn window(photo: &RgbImage, grid: i32, (row, col): (i32, i32)) -> Option<[f64; 4]> {
    let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
    let side = width.max(height);
    let part = |index: i32, length: f64| {
        let margin = (side - length) / 2.0;
        let edge = |index: i32| f64::from(index) / f64::from(grid.max(1)) * side - margin;
        let (from, to) = (edge(index).max(0.0), edge(index + 1).min(length));
        let enough = to - from > 0.4 * side / f64::from(grid.max(1));
        enough.then(|| (from / length, (to - from) / length))
    };
    let ((x, w), (y, h)) = (part(col, width)?, part(row, height)?);
    Some([x, y, w, h])
}

fn svg(edges: &[Edge], (query, item): (&RgbImage, &RgbImage)) -> Result<String> {
    let width = |photo: &RgbImage| HEIGHT * f64::from(photo.width()) / f64::from(photo.height().max(1));
    let (left, right) = (width(query), width(item));
    let whole = left + GAP + right;
    let mut text = format!(
        "<figure class=\"why\"><svg viewBox=\"-3 -3 {:.1} {:.1}\" role=\"img\" aria-label=\"pairs of windows\">",
        whole + 6.0,
        HEIGHT + 6.0
    );
    for (photo, x, width) in [(query, 0.0, left), (item, left + GAP, right)] {
        // Writing into a string does not fail, here and below.
        let _ = write!(
            text,
            "<image x=\"{x:.1}\" y=\"0\" width=\"{width:.1}\" height=\"{HEIGHT}\" href=\"{}\"/>",
            data_uri(photo, 82)?
        );
    }
    let mut list = String::new();
    for (edge, colour) in edges.iter().zip(COLOURS) {
        let (Some(from), Some(to)) = (window(query, edge.grid, edge.query), window(item, edge.grid, edge.item)) else {
            continue;
        };
        let from = [from[0] * left, from[1] * HEIGHT, from[2] * left, from[3] * HEIGHT];
        let to = [left + GAP + to[0] * right, to[1] * HEIGHT, to[2] * right, to[3] * HEIGHT];
        for [x, y, w, h] in [from, to] {
            let _ = write!(
                text,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"5\" stroke=\"{colour}\"/>",
                x + 2.0,
                y + 2.0,
                (w - 4.0).max(1.0),
                (h - 4.0).max(1.0)
            );
        }
        let middle = |[x, y, w, h]: [f64; 4]| (x + w / 2.0, y + h / 2.0);
        let ((ax, ay), (bx, by)) = (middle(from), middle(to));
        let _ = write!(
            text,
            "<path d=\"M{ax:.1} {ay:.1}C{:.1} {ay:.1} {:.1} {by:.1} {bx:.1} {by:.1}\" stroke=\"{colour}\"/>\
             <circle cx=\"{ax:.1}\" cy=\"{ay:.1}\" r=\"4\" fill=\"{colour}\"/><circle cx=\"{bx:.1}\" cy=\"{by:.1}\" r=\"4\" fill=\"{colour}\"/>",
            (ax + bx) / 2.0,
            (ax + bx) / 2.0
        );
        let _ = write!(
            list,
            "<li><i style=\"background:{colour}\"></i>{} → {} <span>of {g} × {g}, similarity {:.2}, weight {:.3}</span></li>",
            place(edge.grid, edge.query),
            place(edge.grid, edge.item),
            edge.similarity,
            edge.weight,
            g = edge.grid
        );
    }
    let _ = write!(text, "</svg><figcaption><ul>{list}</ul></figcaption></figure>");
    Ok(text)
}

/// A window in words.
fn place(grid: i32, (row, col): (i32, i32)) -> String {
    let part = |index: i32, first: &'static str, last: &'static str| match index {
        0 => first.to_owned(),
        index if index == grid - 1 => last.to_owned(),
        index if grid == 3 && index == 1 => "middle".to_owned(),
        index => format!("{}th", index + 1),
    };
    match (part(row, "top", "bottom"), part(col, "left", "right")) {
        (row, col) if row == "middle" && col == "middle" => "centre".to_owned(),
        (row, col) => format!("{row} {col}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_a_tall_photo() {
        let tall = RgbImage::new(150, 300);
        // The square is 300 wide, 75 of white on both sides: half of the first of two columns is photo.
        assert_eq!(window(&tall, 2, (0, 0)), Some([0.0, 0.0, 0.5, 0.5]));
        // Of the first of three columns a quarter is.
        assert_eq!(window(&tall, 3, (1, 0)), None);
        assert_eq!(window(&RgbImage::new(90, 90), 3, (2, 2)).unwrap()[0], 2.0 / 3.0);
    }

    #[test]
    fn each_window_is_drawn_once() {
        let edge = |query, item| Edge { grid: 2, query, item, similarity: 0.9, weight: 0.1 };
        let square = RgbImage::new(8, 8);
        let edges = vec![edge((0, 0), (0, 0)), edge((0, 0), (1, 1)), edge((1, 0), (1, 1))];
        let kept = striking(edges, (&square, &square));
        assert_eq!(kept, [edge((0, 0), (0, 0)), edge((1, 0), (1, 1))]);
    }

    #[test]
    fn windows_in_words() {
        assert_eq!(place(3, (1, 1)), "centre");
        assert_eq!(place(3, (1, 2)), "middle right");
        assert_eq!(place(2, (0, 1)), "top right");
        assert_eq!(place(5, (3, 0)), "4th left");
    }
}
