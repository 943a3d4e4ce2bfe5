//! A job's images on disk: a private folder that the command reads like any other data set.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use grnet_data::dataset::strata::Strata;
use grnet_wire::{JobFault, JobImage, JobKind, JobRefusal};

use crate::jobs::refusal::refusal;

/// The model that a job starts from or measures, in its folder.
pub const START: &str = "start.safetensors";
/// An evaluation's table, likewise.
pub const TABLE: &str = "table.csv";

/// The folder of one job.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    kind: JobKind,
    table: BufWriter<File>,
    /// Numbers of the items: a table's values have no commas.
    items: HashMap<String, usize>,
    images: u64,
    bytes: u64,
    limit: u64,
}

impl Spool {
    /// Makes the folder, with the model file in it.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn create(folder: PathBuf, kind: JobKind, model: &[u8], limit: u64) -> Result<Self, JobRefusal> {
        let make = || {
            remove(&folder)?;
            DirBuilder::new().mode(0o700).create(&folder)?;
            fs::create_dir(folder.join("images"))?;
            fs::write(folder.join(START), model)?;
            let (name, head) = match kind {
                JobKind::Train => ("annotations.csv", "file,item,domain,left,top,width,height"),
                JobKind::Evaluate => (TABLE, "file,item,set,left,top,width,height,view,occlusion,cropping"),
            };
            let mut table = BufWriter::new(File::create(folder.join(name))?);
            writeln!(table, "{head}")?;
            Ok(table)
        };
        match make() {
            Ok(table) => {
                let items = HashMap::new();
                Ok(Self { folder, kind, table, items, images: 0, bytes: model.len() as u64, limit })
            }
            Err(error) => {
                let _ = remove(&folder);
                Err(disk(&error))
            }
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Images, items, and bytes of it all.
    pub fn figures(&self) -> (u64, u64, u64) {
        (self.images, self.items.len() as u64, self.bytes)
    }

    /// Adds images.
    ///
    /// # Errors
    /// They are too many for the limit or the disk, or what is annotated of one is not known.
    pub fn add(&mut self, images: &[JobImage<'_>]) -> Result<(), JobRefusal> {
        for image in images {
            let (got, limit) = (self.bytes + image.bytes.len() as u64, self.limit);
            if got > limit {
                return Err(JobRefusal {
                    fault: JobFault::TooLarge,
                    message: format!("images of the {} have over {limit} bytes, the limit", self.kind.noun()),
                    detail: Some(format!("{} images were taken.", self.images)),
                    hint: Some("grnet.max_spool_size is the limit; a query may also yield smaller images.".to_owned()),
                });
            }
            self.bytes = got;
            self.images += 1;
            let [view, occlusion, cropping] = image.strata;
            if let Err(reason) = Strata::of(view, occlusion, cropping) {
                // An image is a row of the query.
                return Err(refusal(JobFault::Option, format!("row {} of the query {reason}", self.images)));
            }
            self.write(image).map_err(|error| disk(&error))?;
        }
        Ok(())
    }

    fn write(&mut self, image: &JobImage<'_>) -> io::Result<()> {
        let file = format!("images/{}", self.images);
        fs::write(self.folder.join(&file), image.bytes)?;
        let next = self.items.len();
        let item = image.item.map(|item| match self.items.get(item) {
            Some(number) => *number,
            None => *self.items.entry(item.to_owned()).or_insert(next),
        });
        let item = item.map(|number| number.to_string()).unwrap_or_default();
        let place = match (self.kind, image.shop) {
            (JobKind::Train, true) => "shop",
            (JobKind::Train, false) => "consumer",
            (JobKind::Evaluate, true) => "gallery",
            (JobKind::Evaluate, false) => image.set,
        };
        write!(self.table, "{file},{item},{place},")?;
        match image.region {
            Some(r) => write!(self.table, "{},{},{},{}", r.left, r.top, r.width, r.height)?,
            None => write!(self.table, ",,,")?,
        }
        // Known words and numbers: they have no commas.
        if self.kind == JobKind::Evaluate {
            write!(self.table, ",{}", image.strata.join(","))?;
        }
        writeln!(self.table)
    }

    /// Puts everything on the disk, for the process that reads it.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn flush(&mut self) -> Result<(), JobRefusal> {
        self.table.flush().map_err(|error| disk(&error))
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// It is not ours, or the disk fails.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.folder)
    }
}

/// Removes a folder; one that is not there is no error.
pub fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn disk(error: &io::Error) -> JobRefusal {
    let hint = Some("It lies in the engine's folder inside the data directory.".to_owned());
    let fault = refusal(JobFault::Disk, "images cannot be written to the engine's folder".to_owned());
    JobRefusal { detail: Some(format!("{error}.")), hint, ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image<'a>(bytes: &'a [u8], item: Option<&'a str>, shop: bool) -> JobImage<'a> {
        JobImage { bytes, region: None, item, shop, set: "Easy", strata: [""; 3] }
    }

    #[test]
    fn images_become_a_table_whatever_their_items_are_called() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("engine.sock.eval");
        let mut spool = Spool::create(folder.clone(), JobKind::Evaluate, b"model", 1000).unwrap();
        let region = Some(grnet_wire::Region { left: 1.0, top: 2.0, width: 3.5, height: 4.0 });
        let query = JobImage { region, strata: ["side", "", "0.3"], ..image(b"two", Some("a,\"b\nc"), false) };
        spool.add(&[image(b"one", Some("a,\"b\nc"), true), query, image(b"three", None, true)]).unwrap();
        spool.flush().unwrap();
        let table = fs::read_to_string(folder.join("table.csv")).unwrap();
        assert_eq!(
            table,
            "file,item,set,left,top,width,height,view,occlusion,cropping\nimages/1,0,gallery,,,,,,,\n\
             images/2,0,Easy,1,2,3.5,4,side,,0.3\nimages/3,,gallery,,,,,,,\n"
        );
        assert_eq!(fs::read(folder.join("images/2")).unwrap(), b"two");
        assert_eq!(spool.figures(), (3, 1, 5 + 3 + 3 + 5));
        spool.remove().unwrap();
        assert!(!folder.exists() && spool.remove().is_ok());
    }

    #[test]
    fn what_is_annotated_and_not_known_is_named_with_its_row() {
        let place = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(place.path().join("s"), JobKind::Evaluate, b"", 99).unwrap();
        spool.add(&[image(b"1", None, true)]).unwrap();
        for (strata, part) in [
            (["above", "", ""], "the view `above`, known are front, side and back"),
            (["", "2", ""], "the occlusion `2`, known are none, light, heavy and shares from 0 to 1"),
            (["", "", "none,0"], "the cropping `none,0`"),
        ] {
            let refusal = spool.add(&[JobImage { strata, ..image(b"2", Some("1"), false) }]).unwrap_err();
            assert_eq!(refusal.fault, JobFault::Option);
            assert!(refusal.message.starts_with("row ") && refusal.message.contains(part), "{refusal:?}");
        }
        assert!(
            spool
                .add(&[JobImage { strata: ["x", "", ""], ..image(b"", None, true) }])
                .unwrap_err()
                .message
                .starts_with("row 5 ")
        );
    }

    #[test]
    fn the_limit_counts_every_byte() {
        let place = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(place.path().join("s"), JobKind::Train, b"12345", 9).unwrap();
        spool.add(&[image(b"1234", Some("1"), true)]).unwrap();
        let refusal = spool.add(&[image(b"1", Some("1"), false)]).unwrap_err();
        assert_eq!(refusal.fault, JobFault::TooLarge);
        assert!(refusal.message.contains("9 bytes"), "{refusal:?}");
        assert!(Spool::create(place.path().join("no/such"), JobKind::Train, b"", 9).is_err());
    }
}
