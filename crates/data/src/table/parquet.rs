//! Parquet, through the library's records: a table of images is small.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Repetition;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;

use crate::error::DataError;
use crate::table::row::{COLUMNS, Header, Row, refuse};

/// Reads the columns of a table that mean something to us; whatever else lies beside them is not looked at. Null and
/// NaN are an empty value.
///
/// # Errors
/// As [`crate::table::table`], and what is no Parquet.
pub(super) fn read(path: &Path, needed: &[&str]) -> Result<Vec<Row>, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    // The file is somebody's, and the library does not promise to survive a damaged one.
    catch_unwind(AssertUnwindSafe(|| rows(file, path, needed)))
        .unwrap_or_else(|_| Err(refuse(path, "the Parquet reader failed on it: the file is damaged".to_owned())))
}

fn rows(file: File, path: &Path, needed: &[&str]) -> Result<Vec<Row>, DataError> {
    let broken = |error: ParquetError| refuse(path, format!("cannot be read as Parquet: {error}"));
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let schema = reader.metadata().file_metadata().schema();
    // A list, or a group, is no value of ours whatever its name is.
    let single = |field: &Type| {
        let info = field.get_basic_info();
        field.is_primitive() && !(info.has_repetition() && info.repetition() == Repetition::REPEATED)
    };
    let known = |name: &str| COLUMNS.contains(&name) || needed.contains(&name);
    let flat = schema.get_fields().iter().filter(|field| single(field) && known(field.name()));
    let flat: Vec<_> = flat.cloned().collect();
    let names: Vec<String> = flat.iter().map(|field| field.name().to_owned()).collect();
    let header = Arc::new(Header::new(path, "row", names, needed)?);
    let wanted = Type::group_type_builder(schema.name()).with_fields(flat).build().map_err(broken)?;
    let mut rows = Vec::new();
    for (index, row) in reader.get_row_iter(Some(wanted)).map_err(broken)?.enumerate() {
        let number = index + 1;
        let values: Result<Vec<String>, _> =
            row.map_err(broken)?.into_columns().into_iter().map(|(_, value)| text(value)).collect();
        let values = values.map_err(|()| refuse(path, format!("row {number} has a value that is not UTF-8")))?;
        rows.push(Row::new(&header, values, number));
    }
    Ok(rows)
}

/// A value as a table of text would write it.
fn text(value: Field) -> Result<String, ()> {
    Ok(match value {
        Field::Null => String::new(),
        Field::Str(text) => text.trim().to_owned(),
        Field::Bytes(bytes) => bytes.as_utf8().map_err(|_| ())?.trim().to_owned(),
        Field::Float16(number) if number.is_nan() => String::new(),
        Field::Float(number) if number.is_nan() => String::new(),
        Field::Double(number) if number.is_nan() => String::new(),
        // Without the library's `.0`: many programs turn whole numbers into floats where one is missing, and item 12
        // stays item 12.
        Field::Float16(number) => number.to_string(),
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use crate::table::read as table;

    /// A table of three images; the second has no box, and the third a NaN for one.
    fn write(folder: &Path, compression: Compression) -> PathBuf {
        let schema = "message t { required binary file (STRING); optional int64 item; optional double left; \
                      optional group tags (LIST) { repeated group list { required binary element (STRING); } } \
                      optional binary thumbnail; }";
        let path = folder.join(format!("{compression:?}.Parquet").replace(['(', ')'], "-"));
        let properties = WriterProperties::builder().set_compression(compression).build();
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let names = ["a.jpg", "b c.jpg", " ü.jpg "].map(ByteArray::from);
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7, -3], Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[1.5, f64::NAN], Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let tags = ["x"; 3].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&tags, Some(&[2, 2, 2]), Some(&[0, 0, 0])).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let thumbnails = [(); 3].map(|()| ByteArray::from(vec![0xff, 0xd8]));
        column.typed::<ByteArrayType>().write_batch(&thumbnails, Some(&[1, 1, 1]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        path
    }

    use super::*;

    #[test]
    fn every_usual_compression_gives_the_same_rows_as_text_would() {
        let folder = tempfile::tempdir().unwrap();
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::ZSTD(ZstdLevel::default()),
            Compression::LZ4_RAW,
        ] {
            let rows = table(&write(folder.path(), compression), &["file", "item"]).unwrap();
            let got: Vec<_> = rows.iter().map(|row| ["file", "item", "left"].map(|name| row.get(name))).collect();
            let expected = [["a.jpg", "7", "1.5"], ["b c.jpg", "", ""], ["ü.jpg", "-3", ""]];
            assert_eq!(got, expected, "{compression:?}");
            assert_eq!((rows[2].position(), rows[0].get("thumbnail")), ("row 3".to_owned(), ""));
        }
    }

    #[test]
    fn what_lacks_a_column_or_has_a_list_for_it_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), Compression::SNAPPY);
        for name in ["domain", "tags"] {
            assert!(table(&path, &["file", name]).unwrap_err().to_string().contains(&format!("no column `{name}`")));
        }
        assert!(table(&path, &["thumbnail"]).unwrap_err().to_string().contains("row 1 has a value that is not UTF-8"));
    }

    #[test]
    fn no_damage_is_more_than_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), Compression::UNCOMPRESSED);
        let whole = std::fs::read(&path).unwrap();
        let mut refused = 0;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).unwrap();
            refused += usize::from(table(&path, &["file"]).is_err());
            std::fs::write(&path, &whole[..at]).unwrap();
            let error = table(&path, &["file"]).unwrap_err().to_string();
            assert!(error.contains(".Parquet: "), "{error}");
        }
        assert!(refused > whole.len() / 4, "{refused} of {}", whole.len());
    }
}
