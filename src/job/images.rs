//! A query's rows as the images of a training or an evaluation.

use std::ffi::CStr;

use grnet_wire::{JobImage, JobKind, Region};
use pgrx::{PgBuiltInOids as Type, PgSqlErrorCode as Code};

use crate::embed::check_size;
use crate::error::{Error, Which};
use crate::job::connection::Job;
use crate::pg::cursor::{Column, Query, Row};

/// Rows that are fetched at a time: each may hold an image of 32 MB that is nowhere else.
const ROWS: i16 = 16;
/// Images and bytes that are sent at a time.
const IMAGES: usize = 256;
const BYTES: usize = 8 << 20;
/// The list that a consumer's image belongs to where the query has no column `set`.
const SET: &str = "consumer";

/// Runs the query and brings its images to the job; how many there were.
///
/// # Errors
/// The query's columns or values are not those of images, it yields no row, or the job does not take them.
pub fn bring(sql: &CStr, kind: JobKind, job: &mut Job) -> Result<u64, Error> {
    let mut query = Query::open(sql)?;
    let layout = Layout::of(&query.columns(), kind)?;
    let (mut batch, mut bytes, mut count) = (Vec::new(), 0, 0);
    let mut more = true;
    while more {
        more = query.each(ROWS, |row| {
            count += 1;
            let image = layout.read(&row, kind, count)?;
            bytes += image.bytes.len();
            batch.push(image);
            if bytes >= BYTES || batch.len() >= IMAGES {
                send(job, &mut batch)?;
                bytes = 0;
            }
            Ok(())
        })?;
    }
    query.close();
    if count == 0 {
        return Err(refuse(Code::ERRCODE_NO_DATA_FOUND, "the query yields no image".into()));
    }
    send(job, &mut batch)?;
    Ok(count as u64)
}

fn refuse(code: Code, message: String) -> Error {
    Error::Query {
        code,
        message,
        hint: "A query yields item (of any type), image (bytea), domain ('consumer' or 'shop'), and, where there is one, \
               region (box); for grnet_evaluate also \"set\", view, occlusion and cropping (text).",
    }
}

fn send(job: &mut Job, batch: &mut Vec<Image>) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    job.add(batch.iter().map(Image::wire).collect())?;
    batch.clear();
    Ok(())
}

/// An image on its way.
struct Image {
    bytes: Vec<u8>,
    region: Option<Region>,
    item: Option<String>,
    shop: bool,
    set: String,
    strata: [String; 3],
}

/// What may be annotated of a consumer's image in an evaluation; the engine knows the words.
const STRATA: [&str; 3] = ["view", "occlusion", "cropping"];

impl Image {
    fn wire(&self) -> JobImage<'_> {
        let Self { bytes, region, item, shop, set, strata } = self;
        let strata = strata.each_ref().map(String::as_str);
        JobImage { bytes, region: *region, item: item.as_deref(), shop: *shop, set, strata }
    }
}

/// Where the query has its columns.
struct Layout {
    item: usize,
    image: usize,
    domain: usize,
    region: Option<usize>,
    set: Option<usize>,
    strata: [Option<usize>; 3],
}

impl Layout {
    fn of(columns: &[Column], kind: JobKind) -> Result<Self, Error> {
        let find = |name: &str| columns.iter().position(|column| column.name == name);
        let need = |name: &str| {
            let code = Code::ERRCODE_UNDEFINED_COLUMN;
            find(name).ok_or_else(|| refuse(code, format!("the query has no column \"{name}\"")))
        };
        let known = |name: &str| {
            ["item", "image", "domain", "region"].contains(&name)
                || kind == JobKind::Evaluate && (name == "set" || STRATA.contains(&name))
        };
        let (item, image, domain) = (need("item")?, need("image")?, need("domain")?);
        if let Some(other) = columns.iter().find(|column| !known(&column.name)) {
            let message = format!("the query has a column \"{}\", which says nothing here", other.name);
            return Err(refuse(Code::ERRCODE_UNDEFINED_COLUMN, message));
        }
        for (name, kind, wanted) in [("image", Type::BYTEAOID, "bytea"), ("region", Type::BOXOID, "box")] {
            if find(name).is_some_and(|column| columns[column].kind != kind.value()) {
                let message = format!("the query's column \"{name}\" is not of type {wanted}");
                return Err(refuse(Code::ERRCODE_DATATYPE_MISMATCH, message));
            }
        }
        Ok(Self { item, image, domain, region: find("region"), set: find("set"), strata: STRATA.map(find) })
    }

    fn read(&self, row: &Row<'_>, kind: JobKind, number: usize) -> Result<Image, Error> {
        let invalid = |message: String| refuse(Code::ERRCODE_INVALID_PARAMETER_VALUE, message);
        let null = |name: &str| {
            refuse(Code::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("row {number} of the query has no {name}"))
        };
        let shop = match row.text(self.domain).ok_or_else(|| null("domain"))?.as_str() {
            "shop" => true,
            "consumer" => false,
            other => {
                return Err(invalid(format!(
                    "row {number} of the query has the domain \"{other}\", allowed are consumer and shop"
                )));
            }
        };
        let item = row.text(self.item);
        if item.is_none() && kind == JobKind::Train {
            return Err(null("item"));
        }
        let (size, fetch) = row.bytea(self.image).ok_or_else(|| null("image"))?;
        check_size(size, Which::Only).map_err(|error| match error {
            Error::ImageBytes { got, limit, .. } => Error::Query {
                code: Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                message: format!("image in row {number} of the query has {got} bytes, the limit is {limit}"),
                hint: "grnet.max_image_bytes is the limit.",
            },
            other => other,
        })?;
        let region = self.region.and_then(|column| row.rectangle(column));
        let region = region.map(|[left, top, width, height]| Region { left, top, width, height });
        if region.is_some_and(|r| !(r.width > 0.0 && r.height > 0.0)) {
            return Err(invalid(format!("row {number} of the query has an empty region")));
        }
        let set = self.set.and_then(|column| row.text(column)).unwrap_or_else(|| SET.to_owned());
        // Commas and ends of lines are the table's own; the gallery's name is taken.
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
        if !shop && (set.is_empty() || set == "gallery" || set.len() > 63 || !set.chars().all(plain)) {
            return Err(invalid(format!(
                "row {number} of the query has the set \"{set}\", allowed are 1 to 63 letters, digits, spaces, -, _ and ., \
                 and not \"gallery\""
            )));
        }
        let strata = self.strata.map(|column| column.and_then(|column| row.text(column)).unwrap_or_default());
        Ok(Image { bytes: fetch().copy()?, region, item, shop, set, strata })
    }
}
