//! What kind of dataset lies at a source.

use std::path::{Path, PathBuf};

use crate::dataset::words::words;
use crate::error::DataError;

words! {
    /// A kind of dataset, as it is written before a path: `deepfashion:/data/c2s`.
    Kind {
        /// A folder for each garment, or images without identity.
        Folders = "folders",
        /// A table of images: a file, or `annotations.csv` or `annotations.parquet` in a folder.
        Table = "table",
        /// DeepFashion's Consumer-to-Shop benchmark as it is distributed.
        DeepFashion = "deepfashion",
    }
}

/// A source and the kind of what lies there.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What lies there.
    pub kind: Kind,
    /// A folder; for a table its file.
    pub path: PathBuf,
}

/// Tables that are found in a folder.
const TABLES: [&str; 2] = ["annotations.csv", "annotations.parquet"];

/// The file by which DeepFashion's folder is known, in the folder or in the one that it is distributed in.
const BOXES: [&str; 2] = ["Anno/list_bbox_consumer2shop.txt", "list_bbox_consumer2shop.txt"];

impl Source {
    /// A source as it was given: with its kind before it, or as what is found there.
    ///
    /// # Errors
    /// There is neither a folder nor a table, or the folder has two tables.
    pub fn of(given: &Path) -> Result<Self, DataError> {
        if let Some((kind, path)) = given.to_str().and_then(|text| text.split_once(':'))
            && let Some(kind) = Kind::of(kind)
        {
            let path = PathBuf::from(path);
            let path = if kind == Kind::Table && path.is_dir() { inside(&path)?.unwrap_or(path) } else { path };
            return Self { kind, path }.checked();
        }
        if given.is_dir() {
            if let Some(table) = inside(given)? {
                return Ok(Self { kind: Kind::Table, path: table });
            }
            let known = BOXES.iter().any(|name| given.join(name).is_file());
            let kind = if known { Kind::DeepFashion } else { Kind::Folders };
            return Ok(Self { kind, path: given.to_owned() });
        }
        Self { kind: Kind::Table, path: given.to_owned() }.checked()
    }

    /// Refuses what is not there.
    fn checked(self) -> Result<Self, DataError> {
        let reason = match self.kind {
            Kind::Table if self.path.is_file() => return Ok(self),
            Kind::Table if self.path.is_dir() => {
                "there is neither annotations.csv nor annotations.parquet in it".to_owned()
            }
            Kind::Table => {
                let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("{kind}:")).collect();
                format!("not a folder, and not a table; before it may stand {}", kinds.join(", "))
            }
            _ if self.path.is_dir() => return Ok(self),
            _ => "not a folder".to_owned(),
        };
        Err(DataError::Dataset { path: self.path, reason })
    }
}

/// The table in a folder, if there is one.
fn inside(folder: &Path) -> Result<Option<PathBuf>, DataError> {
    let [csv, parquet] = TABLES.map(|name| folder.join(name));
    match (csv.is_file(), parquet.is_file()) {
        (true, true) => {
            let reason = "there are annotations.csv and annotations.parquet in it: name the one that counts".to_owned();
            Err(DataError::Dataset { path: folder.to_owned(), reason })
        }
        (true, false) => Ok(Some(csv)),
        (false, true) => Ok(Some(parquet)),
        (false, false) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }

    #[test]
    fn what_lies_there_decides_and_a_word_before_it_overrules() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        file(&root.join("a/annotations.csv"));
        file(&root.join("p/annotations.parquet"));
        file(&root.join("d/Anno/list_bbox_consumer2shop.txt"));
        file(&root.join("f/item/1.jpg"));
        let of = |text: &str| Source::of(Path::new(&text.replace('@', root.to_str().unwrap())));
        let found = |text: &str| of(text).map(|source| (source.kind, source.path)).unwrap();
        assert_eq!(found("@/a"), (Kind::Table, root.join("a/annotations.csv")));
        assert_eq!(found("@/a/annotations.csv"), (Kind::Table, root.join("a/annotations.csv")));
        assert_eq!(found("table:@/p"), (Kind::Table, root.join("p/annotations.parquet")));
        assert_eq!(found("@/d"), (Kind::DeepFashion, root.join("d")));
        assert_eq!(found("@/f"), (Kind::Folders, root.join("f")));
        assert_eq!(found("folders:@/a"), (Kind::Folders, root.join("a")));
        for (text, part) in [
            ("@/none", "not a folder"),
            ("folders:@/none", "not a folder"),
            ("table:@/f", "neither annotations.csv"),
            ("deepfashion:@/a/annotations.csv", "not a folder"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(part) && error.starts_with(root.to_str().unwrap()), "{error}");
        }
    }

    #[test]
    fn two_tables_are_one_too_many() {
        let root = tempfile::tempdir().unwrap();
        TABLES.iter().for_each(|name| file(&root.path().join(name)));
        assert!(Source::of(root.path()).unwrap_err().to_string().contains("the one that counts"));
        assert_eq!(Source::of(&root.path().join(TABLES[1])).unwrap().kind, Kind::Table);
    }
}
