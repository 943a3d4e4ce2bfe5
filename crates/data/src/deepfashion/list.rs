//! DeepFashion's lists: a count, the columns' names, then rows of values between white space.

use std::path::{Path, PathBuf};

use crate::error::DataError;

/// A list.
#[derive(Debug)]
pub(super) struct List<const N: usize> {
    path: PathBuf,
    /// How many rows its first line promises.
    pub(super) promised: usize,
    /// The rows, each with its line.
    pub(super) rows: Vec<(usize, [String; N])>,
}

impl<const N: usize> List<N> {
    /// Reads a list; `names` says whether the columns' names stand above the rows.
    ///
    /// # Errors
    /// It cannot be read, its first line is no count, or a row has another number of values; the line is named.
    pub(super) fn read(path: &Path, names: bool) -> Result<Self, DataError> {
        let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
        let mut list = Self { path: path.to_owned(), promised: 0, rows: Vec::new() };
        let mut lines = (1..).zip(text.lines());
        let count = lines.next().map_or("", |(_, line)| line.trim().trim_start_matches('\u{feff}'));
        list.promised = count.parse().map_err(|_| list.refuse(1, format!("is `{count}`, needed is a count")))?;
        for (line, text) in lines.skip(usize::from(names)).filter(|(_, text)| !text.trim().is_empty()) {
            let values: Vec<&str> = text.split_whitespace().collect();
            let row: [&str; N] = values.try_into().map_err(|values: Vec<&str>| {
                list.refuse(line, format!("has {} values, needed are {N}", values.len()))
            })?;
            list.rows.push((line, row.map(str::to_owned)));
        }
        match list.rows.is_empty() {
            true => Err(DataError::Dataset { path: list.path, reason: "the list has no row".to_owned() }),
            false => Ok(list),
        }
    }

    /// An error of a line.
    pub(super) fn refuse(&self, line: usize, what: String) -> DataError {
        DataError::Dataset { path: self.path.clone(), reason: format!("line {line} {what}") }
    }

    /// What is to be said where rows are missing or too many.
    pub(super) fn warning(&self) -> Option<String> {
        let (name, rows) = (self.path.file_name().unwrap_or_default().display(), self.rows.len());
        (rows != self.promised).then(|| format!("{name} promises {} rows and has {rows}", self.promised))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            List::<2>::read(&path, true)
        };
        let list = read("2\r\na b\r\nx  1 \r\n\r\ny\t2\r\n").unwrap();
        assert_eq!(list.rows[1], (5, ["y".to_owned(), "2".to_owned()]));
        assert_eq!(list.warning(), None);
        assert_eq!(read("3\na b\nx 1\n").unwrap().warning().unwrap(), "list.txt promises 3 rows and has 1");
        for (text, part) in [
            ("", "line 1 is ``, needed is a count"),
            ("a b\nx 1\n", "line 1 is `a b`"),
            ("1\na b\n", "no row"),
            ("1\na b\nx 1\nx\n", "line 4 has 1 values, needed are 2"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("list.txt: "), "{error}");
        }
    }
}
