//! Comma-separated values with a header, as RFC 4180 and the spreadsheets write them.

use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder, Trim};

use crate::error::DataError;
use crate::table::row::{Header, Row, refuse};

/// Reads a table. Quotes, either end of line and a byte order mark are understood; white space around a value does not
/// count; empty lines are passed over.
///
/// # Errors
/// As [`crate::table::table`].
pub(super) fn read(path: &Path, needed: &[&str]) -> Result<Vec<Row>, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::io(path))?;
    // The header is a row like any other, and a row's length is compared here, to name the line in our own words.
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(&*bytes);
    let (mut record, mut line, mut counted) = (ByteRecord::new(), 1, 0);
    let mut next = || -> Result<Option<(usize, Vec<String>)>, DataError> {
        loop {
            let broken = |error: csv::Error| refuse(path, format!("cannot be read as CSV: {error}"));
            if !reader.read_byte_record(&mut record).map_err(broken)? {
                return Ok(None);
            }
            // The reader's own count stands before the empty lines that it passed over, and within a CRLF.
            let start = record.position().map_or(0, |at| at.byte() as usize);
            let ends = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            line += bytes[counted..start + ends].iter().filter(|&&byte| byte == b'\n').count();
            counted = start + ends;
            let values: Result<Vec<String>, _> = record.iter().map(|value| String::from_utf8(value.to_vec())).collect();
            let values = values.map_err(|_| refuse(path, format!("line {line} is not UTF-8")))?;
            if values.len() > 1 || values.iter().any(|value| !value.is_empty()) {
                return Ok(Some((line, values)));
            }
        }
    };
    let (_, names) = next()?.unwrap_or_default();
    let count = names.len();
    let header = Arc::new(Header::new(path, "line", names, needed)?);
    let mut rows = Vec::new();
    while let Some((line, values)) = next()? {
        if values.len() != count {
            return Err(refuse(path, format!("line {line} has {} values, the header has {count}", values.len())));
        }
        rows.push(Row::new(&header, values, line));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use crate::table::read as table;

    /// Rows of a table with that text, or the refusal.
    fn rows(bytes: &[u8], needed: &[&str]) -> Result<Vec<super::Row>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        table(&path, needed).map_err(|error| error.to_string())
    }

    #[test]
    fn quotes_both_ends_of_line_and_a_byte_order_mark_are_understood() {
        let text = "\u{feff}file , item\r\n\"a, \"\"b\"\".jpg\",x \r\n\r\n\"two\nlines\",y\nlast,z";
        let rows = rows(text.as_bytes(), &["file", "item"]).unwrap();
        let got: Vec<_> = rows.iter().map(|row| (row.get("file"), row.get("item"), row.position())).collect();
        let expected = [("a, \"b\".jpg", "x", 2), ("two\nlines", "y", 4), ("last", "z", 6)];
        assert_eq!(got, expected.map(|(file, item, line)| (file, item, format!("line {line}"))));
        assert_eq!(rows[0].get("set"), "");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, part) in [
            (&b"file,item\na.jpg,x\n"[..], "`domain`"),
            (b"", "`domain`"),
            (b"domain,file,file\n", "`file` twice"),
            (b"domain,file\n", "no row"),
            (b"domain,file\nshop,a.jpg\n\nshop\n", "line 4 has 1 values, the header has 2"),
            (b"domain,file\nshop,a.jpg,1\n", "line 2 has 3 values"),
            (b"domain,file\nshop,a.jpg\nshop,\xff.jpg\n", "line 3 is not UTF-8"),
        ] {
            let error = rows(text, &["domain"]).unwrap_err();
            assert!(error.contains(part) && error.contains("a.csv"), "{error}");
        }
    }
}
