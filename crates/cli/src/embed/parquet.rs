//! Features as a Parquet file: a row an image, for pandas, DuckDB, Spark and what else reads tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grnet_data::DataError;
use grnet_data::output::atomic_file::OutputFile;
use grnet_features::model_file::ModelFile;
use grnet_features::pyramid;
use grnet_features::value::{Dtype, HEADER};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::error::CliError;

/// Rows that are written at one time: 7 MB of regions of 14 × 256 halves.
const GROUP: usize = 1024;

/// A Parquet file being written. Columns: `file`, `model` and `digest` (as SQL writes them), `grids`, `regions` (M),
/// `channels` (C), `dtype` (f32, f16 or i8), and `values`, a feature value's bytes behind its header: M × C numbers,
/// little-endian, region by region; ahead of those of i8 are M scales in f32.
pub struct Table {
    writer: SerializedFileWriter<OutputFile>,
    out: PathBuf,
    model: String,
    grids: Vec<i32>,
    shape: [usize; 2],
    dtype: Dtype,
    rows: Vec<Row>,
}

/// An image: name, digest and numbers.
type Row = (String, String, Vec<u8>);

impl Table {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path, model: &ModelFile<'_>, dtype: Dtype) -> Result<Self, CliError> {
        let config = &model.config;
        let shape = [pyramid::regions(&config.pyramid.grids), config.channels];
        let schema = format!(
            "message features {{
                REQUIRED BYTE_ARRAY file (STRING);
                REQUIRED BYTE_ARRAY model (STRING);
                REQUIRED BYTE_ARRAY digest (STRING);
                REQUIRED GROUP grids (LIST) {{ REPEATED GROUP list {{ REQUIRED INT32 element; }} }}
                REQUIRED INT32 regions;
                REQUIRED INT32 channels;
                REQUIRED BYTE_ARRAY dtype (STRING);
                REQUIRED FIXED_LEN_BYTE_ARRAY ({}) values;
            }}",
            dtype.bytes(shape[0], shape[1])
        );
        let values = || ColumnPath::from("values");
        let about = [
            ("grnet.model", model.id.to_string()),
            (
                "grnet.config",
                serde_json::to_string(config).map_err(|e| failed(path)(ParquetError::External(e.into())))?,
            ),
        ];
        let about = about.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // Numbers hardly compress, none is there twice, and their least and largest say nothing.
            .set_column_compression(values(), Compression::UNCOMPRESSED)
            .set_column_dictionary_enabled(values(), false)
            .set_column_statistics_enabled(values(), EnabledStatistics::None)
            .set_key_value_metadata(Some(about))
            .build();
        let out = OutputFile::create(path)?;
        let schema = parse_message_type(&schema).map_err(failed(path))?;
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed(path))?;
        let grids = config.pyramid.grids.iter().map(|&grid| grid.into()).collect();
        let (out, model) = (path.to_owned(), model.id.to_string());
        Ok(Self { writer, out, model, grids, shape, dtype, rows: Vec::new() })
    }

    /// Adds an image's feature value.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, file: String, digest: String, value: &[u8]) -> Result<(), CliError> {
        self.rows.push((file, digest, value[HEADER..].to_vec()));
        if self.rows.len() == GROUP { self.flush() } else { Ok(()) }
    }

    /// Writes what is left and puts the file in its place.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn finish(mut self) -> Result<(), CliError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        Ok(self.writer.into_inner().map_err(failed(&self.out))?.finish()?)
    }

    /// Writes the rows as a group.
    fn flush(&mut self) -> Result<(), CliError> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group().map_err(failed(&self.out))?;
        let fill = || -> Result<(), ParquetError> {
            let (mut files, mut digests, mut values) = (Vec::new(), Vec::new(), Vec::new());
            for (file, digest, numbers) in rows {
                files.push(ByteArray::from(file.into_bytes()));
                digests.push(ByteArray::from(digest.into_bytes()));
                values.push(FixedLenByteArray::from(numbers));
            }
            let count = values.len();
            let same = |number: usize| vec![number as i32; count];
            column::<ByteArrayType>(&mut group, &files)?;
            column::<ByteArrayType>(&mut group, &vec![ByteArray::from(&*self.model); count])?;
            column::<ByteArrayType>(&mut group, &digests)?;
            lists(&mut group, &self.grids, count)?;
            column::<Int32Type>(&mut group, &same(self.shape[0]))?;
            column::<Int32Type>(&mut group, &same(self.shape[1]))?;
            column::<ByteArrayType>(&mut group, &vec![ByteArray::from(self.dtype.name()); count])?;
            column::<FixedLenByteArrayType>(&mut group, &values)?;
            group.close().map(drop)
        };
        Ok(fill().map_err(failed(&self.out))?)
    }
}

/// Writes the next column, one value a row.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, OutputFile>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::EOF("no such column".to_owned()))?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// Writes the next column, the same list in every row.
fn lists(group: &mut SerializedRowGroupWriter<'_, OutputFile>, list: &[i32], count: usize) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::EOF("no such column".to_owned()))?;
    // A list's first element begins a row (level 0), the others go on with it (level 1); all are there.
    let repeated: Vec<i16> = (0..list.len()).map(|index| (index > 0).into()).collect();
    let (values, repeated) = (list.repeat(count), repeated.repeat(count));
    column.typed::<Int32Type>().write_batch(&values, Some(&vec![1; values.len()]), Some(&repeated))?;
    column.close()
}

/// An error of the file; the system's own where that is what it was.
fn failed(path: &Path) -> impl FnOnce(ParquetError) -> DataError {
    let path = path.to_owned();
    move |error| {
        let source = match error {
            ParquetError::External(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => *error,
                Err(error) => std::io::Error::other(error),
            },
            other => std::io::Error::other(other),
        };
        DataError::Io { path, source }
    }
}

#[cfg(test)]
mod tests {
    use grnet_features::config::Backbone;
    use grnet_features::model_file;
    use grnet_features::value::{self, ImageDigest};
    use grnet_nn::import::defaults;
    use half::f16;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Field, Row};

    use super::*;

    /// A model of grids 1 and 2 with 3 channels.
    fn model() -> Vec<u8> {
        let mut config = defaults::config(Backbone::Patches { patch: 4 }, 3);
        config.pyramid.grids = vec![1, 2];
        model_file::write(&config, &defaults::untrained_graph(&config, 1)).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again_over_several_groups() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), model());
        let file = ModelFile::parse(&bytes).unwrap();
        let path = folder.path().join("features.parquet");
        let channels = file.config.channels;
        let regions = |n: usize| (0..5 * channels).map(|i| (n + i) as f32 / 4.0).collect::<Vec<_>>();
        let value = |n| {
            let digest = ImageDigest::of(b"image", None);
            value::encode(file.id, digest, &[1, 2], channels, Dtype::F16, &regions(n)).unwrap()
        };
        let mut table = Table::create(&path, &file, Dtype::F16).unwrap();
        let count = GROUP + 3;
        for n in 0..count {
            table.add(format!("{n}.jpg"), format!("{n:032x}"), &value(n)).unwrap();
        }
        assert!(!path.exists(), "it has its name when it is whole");
        table.finish().unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (2, count as i64));
        let about = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let about = about.iter().find(|pair| pair.key == "grnet.model").and_then(|pair| pair.value.clone());
        assert_eq!(about, Some(file.id.to_string()));
        let rows: Vec<Row> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        for n in [0, 1, GROUP - 1, GROUP, count - 1] {
            let row: Vec<(String, Field)> = rows[n].clone().into_columns();
            let [file_name, model, digest, grids, m, c, numbers, values] = &row[..] else { panic!("{row:?}") };
            let text = |text: String| Field::Str(text);
            assert_eq!(file_name.1, text(format!("{n}.jpg")));
            assert_eq!((&model.1, &digest.1), (&text(file.id.to_string()), &text(format!("{n:032x}"))));
            assert_eq!(
                (grids.1.to_string(), &m.1, &c.1),
                ("[1, 2]".to_owned(), &Field::Int(5), &Field::Int(channels as i32))
            );
            assert_eq!(numbers.1, text("f16".to_owned()));
            let Field::Bytes(bytes) = &values.1 else { panic!("{:?}", values.1) };
            let pairs = bytes.data().as_chunks::<2>().0.iter();
            assert_eq!(pairs.map(|&pair| f16::from_le_bytes(pair).to_f32()).collect::<Vec<_>>(), regions(n));
        }
    }

    #[test]
    fn no_image_is_a_table_without_rows_and_a_place_that_cannot_be_written_is_named() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), model());
        let file = ModelFile::parse(&bytes).unwrap();
        let path = folder.path().join("none.parquet");
        Table::create(&path, &file, Dtype::I8).unwrap().finish().unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        let error = Table::create(&folder.path().join("missing/a.parquet"), &file, Dtype::F16).map(drop).unwrap_err();
        assert!(error.to_string().contains("missing/a.parquet: No such file"), "{error}");
    }
}
