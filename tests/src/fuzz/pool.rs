//! Values that lie in the database: images and features, good and bad, by number.

use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, Features, ImageDigest, encode};
use postgres::Client;

use crate::hostile;
use crate::images::{bmp, jpeg, picture};

/// `pool.image` and `pool.feature`, and functions that the planner turns into constants.
const SQL: &str = "
    CREATE SCHEMA pool;
    GRANT USAGE ON SCHEMA pool TO PUBLIC;
    CREATE TABLE pool.image (n int PRIMARY KEY, b bytea);
    CREATE TABLE pool.feature (n int PRIMARY KEY, f grnet_features);
    GRANT SELECT ON pool.image, pool.feature TO PUBLIC;
    CREATE FUNCTION pool.b(n int) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
        'BEGIN RETURN (SELECT p.b FROM pool.image p WHERE p.n = b.n); END';
    CREATE FUNCTION pool.f(n int) RETURNS grnet_features LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
        'BEGIN RETURN (SELECT p.f FROM pool.feature p WHERE p.n = f.n); END';
";

/// What is in the pools.
#[derive(Debug, Clone)]
pub struct Pool {
    /// How many images; the first six are good.
    pub images: u64,
    /// How many features; the first ones are the tiny model's.
    pub features: u64,
    /// The bytes of those that are short enough to be written into a statement.
    pub values: Vec<Vec<u8>>,
    /// A good image, to be damaged.
    pub jpeg: Vec<u8>,
    /// The tiny model's file, to be damaged.
    pub model: Vec<u8>,
}

/// Values of other number types and of models that are not there.
fn made(of: &[u8]) -> Vec<Vec<u8>> {
    let Ok(value) = Features::parse(of) else { return Vec::new() };
    let (grids, channels, model) = (value.grids(), value.channels(), value.model());
    let count = value.regions() * channels;
    let fill = |number: f32| vec![number; count];
    let mut all = Vec::new();
    for dtype in [Dtype::F32, Dtype::F16, Dtype::I8] {
        for numbers in [value.to_f32(), fill(0.0), fill(-0.0), fill(60_000.0), fill(-1e-7), fill(1e30)] {
            all.extend(encode(model, ImageDigest([9; 16]), grids, channels, dtype, &numbers));
        }
        all.extend(encode(ModelId([7; 8]), ImageDigest([0; 16]), grids, channels, dtype, &fill(0.5)));
        // The model's name on another shape.
        all.extend(encode(model, ImageDigest([0; 16]), &[1], 1, dtype, &[0.5]));
        all.extend(encode(model, ImageDigest([0; 16]), &[1, 2, 3], 8, dtype, &[0.5; 14 * 8]));
    }
    all
}

impl Pool {
    /// Fills the pools.
    ///
    /// # Panics
    /// The server refuses.
    pub fn fill(client: &mut Client) -> Self {
        client.batch_execute(SQL).expect("pools");
        let mut images: Vec<Vec<u8>> = hostile::images().into_iter().map(|(_, bytes)| bytes).collect();
        images.extend(hostile::cases().into_iter().map(|case| case.bytes));
        for (n, image) in (0..).zip(&images) {
            client.execute("INSERT INTO pool.image VALUES ($1, $2)", &[&n, image]).expect("an image");
        }
        let good: Vec<Vec<u8>> = (100..106).map(bmp).collect();
        let sql = "SELECT grnet_features_send(f) FROM unnest(grnet_embed_images($1)) f";
        let mut values: Vec<Vec<u8>> =
            client.query(sql, &[&good]).expect("features").iter().map(|r| r.get(0)).collect();
        let more = made(&values[0]);
        values.extend(more);
        let sql = "SELECT grnet_features_send(grnet_embed($1, 'base'))";
        let base: Vec<Vec<u8>> = (0..2).map(|n| client.query_one(sql, &[&good[n]]).expect("features").get(0)).collect();
        let mut kept = 0;
        for bytes in values.iter().chain(&base) {
            let text = grnet_features::value::to_text(bytes);
            // A value that the type refuses is none.
            let sql = "INSERT INTO pool.feature VALUES ($1, $2::text::grnet_features)";
            kept += i32::from(client.execute(sql, &[&kept, &text]).is_ok());
        }
        client.batch_execute("ANALYZE pool.image; ANALYZE pool.feature").expect("statistics");
        let model = client.query_one("SELECT grnet_export_model('tiny')", &[]).expect("a model").get(0);
        Self {
            images: images.len() as u64,
            features: u64::try_from(kept).unwrap_or(0),
            values,
            jpeg: jpeg(&picture(5, 24, 32)),
            model,
        }
    }
}
