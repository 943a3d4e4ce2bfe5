//! The catalogue: features of real or drawn images, and as many more as are wanted, made of those.
//!
//! Each item is a mixture of two images' features, mostly of the first, with noise: so the items of one image lie close
//! together and others far, as variants of a garment do in a catalogue. The queries' images have no part in it.

use std::error::Error;
use std::path::{Path, PathBuf};

use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, Features, ImageDigest, encode, normalise};
use grnet_render::{Catalogue, Difficulty};
use grnet_tests::images::Random;
use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type};

use crate::options::Options;

/// Images that are queries.
const QUERIES: usize = 100;
/// Garments that are drawn where there are no images: one shop image each, and a snapshot of some.
const DRAWN: u64 = 600;
/// The second image's largest share, and the noise's length, of a region of length 1.
const SHARE: f32 = 0.4;
const NOISE: f32 = 0.25;

/// A feature value, as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Value(pub Vec<u8>);

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "grnet_features"
    }

    postgres::types::to_sql_checked!();
}

/// What items and queries are made of.
#[derive(Debug)]
pub struct Items {
    model: ModelId,
    grids: Vec<u8>,
    channels: usize,
    /// Regions of the images, each of length 1.
    seeds: Vec<Vec<f32>>,
    random: Random,
    made: usize,
    /// Images that nothing was made of.
    pub queries: Vec<Value>,
}

impl Items {
    /// Embeds the images.
    pub fn embed(client: &mut Client, options: &Options, say: &dyn Fn(&str)) -> Self {
        let images = match &options.images {
            Some(folder) => read(folder),
            None => draw(say),
        };
        assert!(images.len() > 2 * QUERIES, "{} images are too few: {} are needed", images.len(), 2 * QUERIES + 1);
        let mut values: Vec<Vec<u8>> = Vec::with_capacity(images.len());
        for chunk in images.chunks(64) {
            let sql = "SELECT grnet_features_send(f) FROM unnest(grnet_embed_images($1, 'base')) WITH ORDINALITY u (f, n) ORDER BY n";
            let rows = client.query(sql, &[&chunk]).expect("features");
            values.extend(rows.iter().map(|row| row.get::<_, Vec<u8>>(0)));
            say(&format!("{} of {} images embedded", values.len(), images.len()));
        }
        // Every so many of them, so that they are of all kinds.
        let every = values.len() / QUERIES;
        let (mut queries, mut others) = (Vec::new(), Vec::new());
        for (number, value) in values.into_iter().enumerate() {
            let is_query = number % every == 0 && queries.len() < QUERIES;
            if is_query { queries.push(Value(value)) } else { others.push(value) }
        }
        let first = Features::parse(&others[0]).expect("a value");
        let (model, grids, channels) = (first.model(), first.grids().to_vec(), first.channels());
        let seeds =
            others.iter().map(|value| unit(Features::parse(value).expect("a value").to_f32(), channels)).collect();
        Self { model, grids, channels, seeds, random: Random(11), made: 0, queries }
    }

    /// Adds rows up to `size`.
    pub fn fill(&mut self, client: &mut Client, size: usize) {
        let statement = client.prepare("SELECT NULL::grnet_features").expect("a type");
        let features = statement.columns()[0].type_().clone();
        let writer = client.copy_in("COPY item FROM STDIN BINARY").expect("a table");
        let mut writer = BinaryCopyInWriter::new(writer, &[Type::INT4, Type::INT4, features]);
        while self.made < size {
            let value = self.next();
            self.made += 1;
            let (id, bucket) = (self.made as i32, self.random.below(100) as i32);
            writer.write(&[&id, &bucket, &value]).expect("a row");
        }
        writer.finish().expect("all rows");
    }

    fn next(&mut self) -> Value {
        let (a, b) = (self.random.below(self.seeds.len()), self.random.below(self.seeds.len()));
        let share = SHARE * self.uniform();
        // The sum of four uniform numbers is normal enough; its variance is 1/3.
        let noise = NOISE / (self.channels as f32 / 3.0).sqrt();
        let mut regions: Vec<f32> = Vec::with_capacity(self.seeds[a].len());
        for at in 0..self.seeds[a].len() {
            let bits = self.random.number();
            let sum = (0..4).map(|part| (bits >> (16 * part) & 0xffff) as f32 / 65_536.0 - 0.5).sum::<f32>();
            regions.push((1.0 - share) * self.seeds[a][at] + share * self.seeds[b][at] + noise * sum);
        }
        let regions = unit(regions, self.channels);
        let digest = ImageDigest::of(&self.made.to_le_bytes(), None);
        let value = encode(self.model, digest, &self.grids, self.channels, Dtype::F16, &regions);
        Value(value.expect("numbers that fit"))
    }

    fn uniform(&mut self) -> f32 {
        (self.random.number() >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// The same with every region of length 1.
fn unit(mut regions: Vec<f32>, channels: usize) -> Vec<f32> {
    regions.chunks_exact_mut(channels).for_each(normalise);
    regions
}

/// All JPEG files in a folder and below it.
fn read(folder: &Path) -> Vec<Vec<u8>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            let jpeg =
                path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"));
            if path.is_dir() {
                folders.push(path);
            } else if jpeg {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    files.iter().map(|file| std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))).collect()
}

/// Drawn garments: in the shop, and every third also worn.
fn draw(say: &dyn Fn(&str)) -> Vec<Vec<u8>> {
    let catalogue = Catalogue::new(17);
    let mut images = Vec::new();
    for number in 0..DRAWN {
        let garment = catalogue.item(number);
        images.push(garment.shop_photo(0, 256).jpeg(90).expect("a small image"));
        if number % 3 == 0 {
            images.push(garment.consumer_photo(0, Difficulty::Easy, 256).jpeg(90).expect("a small image"));
        }
        if number % 100 == 99 {
            say(&format!("{} of {DRAWN} garments drawn", number + 1));
        }
    }
    images
}
