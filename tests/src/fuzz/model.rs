//! Models of other shapes than the installed ones: the limits of what a model file may have.

use std::error::Error;

use grnet_features::config::{Backbone, CONFIG_FORMAT, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::model_file::{ModelId, NamedTensor, Storage, TensorData, write};
use grnet_features::value::{Dtype, ImageDigest, encode};
use postgres::Client;

use super::expression::Maker;
use crate::shapes::Shapes;

/// Grids, channels, D and layers of a graph.
type Shape = (&'static [u8], usize, usize, usize);

/// Models, each with a table of its name.
pub const SHAPES: [(&str, Shape); 6] = [
    ("lone", (&[1], 1, 1, 1)),
    ("odd", (&[1, 3], 5, 3, 1)),
    ("wide", (&[1, 2, 3, 4], 8, 320, 2)),
    ("broad", (&[1, 3, 4], 16, 288, 1)),
    ("deep", (&[1, 2], 8, 12, 6)),
    ("many", (&[1, 2, 5], 3, 17, 2)),
];

/// A number from −1 to 1.
fn number(dice: &mut Shapes) -> f32 {
    dice.below(20_001) as f32 / 10_000.0 - 1.0
}

/// The file of a model.
fn file((grids, channels, dim, layers): Shape) -> Result<Vec<u8>, Box<dyn Error>> {
    let config = ModelConfig {
        format: CONFIG_FORMAT,
        backbone: Backbone::Patches { patch: 16 },
        backbone_channels: channels,
        reduction: false,
        channels,
        input: Input { size: 80, fit: Fit::Letterbox, mean: [127.0; 3], std: [128.0; 3] },
        pyramid: Pyramid { grids: grids.to_vec(), pooling: Pooling::Average, normalise: true },
        graph: Graph { dim, layers, residual: true, global_cosine: true, ..Graph::default() },
    };
    let mut dice = Shapes::new(7);
    let mut tensors: Vec<NamedTensor> = Vec::new();
    let mut add = |name: &str, shape: &[usize], size: f32| {
        let values = (0..shape.iter().product()).map(|_| size * number(&mut dice)).collect();
        tensors.push((name.to_owned(), shape.to_vec(), TensorData::Values(Storage::F32, values)));
    };
    add("backbone.conv.weight", &[channels, 3, 16, 16], 0.05);
    add("backbone.conv.bias", &[channels], 0.5);
    add("graph.project.weight", &[dim, channels], 0.7);
    add("graph.project.bias", &[dim], 0.2);
    let size = 0.9 / (dim as f32).sqrt();
    for layer in 0..layers {
        for part in ["out", "in", "update"] {
            add(&format!("graph.layers.{layer}.{part}.weight"), &[dim, dim], size);
            add(&format!("graph.layers.{layer}.{part}.bias"), &[dim], 0.2);
        }
    }
    add("graph.readout.weight", &[dim], 1.5);
    add("graph.readout.bias", &[1], 0.1);
    add("graph.readout.cosine", &[1], 3.0);
    Ok(write(&config, &tensors)?)
}

/// Registers them, and fills their tables with values of all kinds of numbers.
///
/// # Panics
/// The server refuses.
pub fn register(client: &mut Client) {
    for (name, shape) in SHAPES {
        let file = file(shape).unwrap_or_else(|error| panic!("{name}: {error}"));
        client.execute("SELECT grnet_register_model($1, $2)", &[&name, &file]).expect("a model");
        let sql = format!("CREATE TABLE {name} (id int PRIMARY KEY, category int, price int, features grnet_features)");
        client.batch_execute(&sql).expect("a table");
        let (model, mut dice) = (ModelId::of(&file), Shapes::new(9));
        let (grids, channels) = (shape.0, shape.1);
        let count = grids.iter().map(|&grid| usize::from(grid) * usize::from(grid)).sum::<usize>() * channels;
        for id in 0..70 {
            let dtype = [Dtype::F16, Dtype::I8, Dtype::F32][id as usize % 3];
            let scale = [1.0, 1.0, 0.0, 1e4, 1e-4][dice.below(5) as usize];
            let numbers: Vec<f32> = (0..count).map(|_| scale * number(&mut dice)).collect();
            let value = encode(model, ImageDigest([id as u8; 16]), grids, channels, dtype, &numbers).expect("features");
            let text = grnet_features::value::to_text(&value);
            let sql = format!("INSERT INTO {name} VALUES ($1, $1 % 5, $1 % 11, $2::text::grnet_features)");
            client.execute(&sql, &[&id, &text]).expect("a row");
        }
    }
}

impl Maker<'_> {
    /// Scores by one of these models, in either precision.
    pub fn other_model(&mut self) -> Vec<String> {
        let (name, _) = SHAPES[self.dice.below(SHAPES.len() as u64) as usize];
        let query = format!("(SELECT features FROM {name} WHERE id = {})", self.dice.below(72));
        let score = match self.dice.below(4) {
            0 => format!("i.features <-> {query}"),
            1 => format!("{query} <-> i.features"),
            2 => format!("grnet_score(i.features, {query})"),
            _ => format!("grnet_score({query}, grnet_quantize(i.features))"),
        };
        let sql = match self.dice.below(6) {
            0 => format!("SELECT i.id, {score} FROM {name} i, generate_series(1, 2) ORDER BY {score}"),
            1 => format!("SELECT i.id, j.id, i.features <-> j.features FROM {name} i, {name} j WHERE i.id < 9"),
            2 => format!("SELECT sum(weight), min(similarity) FROM {name} i, grnet_explain(i.features, {query})"),
            3 => format!("SELECT i.id, count(*) FROM {name} i, grnet_regions(i.features) GROUP BY 1"),
            4 => format!("SELECT grnet_embed(pool.b({}), '{name}') <-> {query}", self.dice.below(6)),
            _ => format!("SELECT i.id, {score} FROM {name} i ORDER BY {score} LIMIT {}", self.dice.below(80)),
        };
        let precision = self.one_of(&["f32", "i16"]);
        vec![format!("SET grnet.score_precision = '{precision}'"), sql]
    }
}
