//! Small pictures of the photos that are shown.

use crate::failure::{Failure, Result};
use crate::picture::reduced;
use crate::progress::Progress;
use crate::ranking::Searched;
use image::RgbImage;
use postgres::Client;
use std::collections::{BTreeSet, HashMap};

/// Pixels of the longer side.
const SIZE: u32 = 320;

/// The pictures, by key.
pub struct Thumbnails {
    queries: HashMap<String, RgbImage>,
    items: HashMap<String, RgbImage>,
    original: Vec<u8>,
    blank: RgbImage,
}

impl Thumbnails {
    /// Reads the photos of the shown queries and answers back from the database.
    ///
    /// # Errors
    /// A statement failed.
    pub fn load(client: &mut Client, shown: &[&Searched]) -> Result<Self> {
        let items: BTreeSet<&str> = shown
            .iter()
            .flat_map(|one| one.graph.matches.iter().chain(&one.global.matches))
            .map(|found| found.id.as_str())
            .collect();
        let progress = Progress::new("Pictures", "pictures", (items.len() + shown.len()) as u64);
        let mut original = Vec::new();
        let mut load = |statement: &str, id: &str| -> Result<RgbImage> {
            let row = client.query_one(statement, &[&id]).map_err(Failure::sql("reading a photo back"))?;
            progress.step();
            let bytes: Vec<u8> = row.get(0);
            let picture = reduced(&bytes, SIZE).unwrap_or_else(|_| blank());
            if original.is_empty() {
                original = bytes;
            }
            Ok(picture)
        };
        let mut pictures =
            Self { queries: HashMap::new(), items: HashMap::new(), original: Vec::new(), blank: blank() };
        for one in shown {
            let picture = load("SELECT image FROM query WHERE id = $1", &one.id)?;
            pictures.queries.insert(one.id.clone(), picture);
        }
        for id in items {
            let picture = load("SELECT image FROM item WHERE id = $1", id)?;
            pictures.items.insert(id.to_owned(), picture);
        }
        pictures.original = original;
        Ok(pictures)
    }

    /// A query's picture.
    pub fn query(&self, id: &str) -> &RgbImage {
        self.queries.get(id).unwrap_or(&self.blank)
    }

    /// A picture of the catalogue.
    pub fn item(&self, id: &str) -> &RgbImage {
        self.items.get(id).unwrap_or(&self.blank)
    }

    /// The photo of the first shown query, as it was stored.
    pub fn original(&self) -> &[u8] {
        &self.original
    }
}

/// Stands for a photo that the server could read and this program cannot.
fn blank() -> RgbImage {
    RgbImage::from_pixel(SIZE, SIZE, image::Rgb([214, 214, 214]))
}
