//! The model file: what is written is read, and what is not one is refused by name.

use grnet_features::config::{Backbone, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::error::ModelError;
use grnet_features::model_file::{self, ModelFile, ModelId, NamedTensor, Storage, TensorData, write};
use grnet_score::head::Head;
use proptest::prelude::*;

fn config() -> ModelConfig {
    ModelConfig {
        format: 1,
        backbone: Backbone::Patches { patch: 8 },
        backbone_channels: 6,
        reduction: true,
        channels: 4,
        input: Input { size: 32, fit: Fit::Letterbox, mean: [127.0; 3], std: [128.0; 3] },
        pyramid: Pyramid { grids: vec![1, 2], pooling: Pooling::Average, normalise: true },
        graph: Graph { dim: 3, layers: 1, global_cosine: true, ..Graph::default() },
    }
}

fn tensors() -> Vec<NamedTensor> {
    let shapes: [(&str, &[usize]); 14] = [
        ("backbone.conv.weight", &[6, 3, 8, 8]),
        ("backbone.conv.bias", &[6]),
        ("reduction.weight", &[4, 6]),
        ("reduction.bias", &[4]),
        ("graph.project.weight", &[3, 4]),
        ("graph.project.bias", &[3]),
        ("graph.layers.0.out.weight", &[3, 3]),
        ("graph.layers.0.out.bias", &[3]),
        ("graph.layers.0.in.weight", &[3, 3]),
        ("graph.layers.0.in.bias", &[3]),
        ("graph.layers.0.update.weight", &[3, 3]),
        ("graph.layers.0.update.bias", &[3]),
        ("graph.readout.weight", &[3]),
        ("graph.readout.bias", &[1]),
    ];
    let number = |i: usize| (i % 13) as f32 / 8.0 - 0.75;
    let mut out: Vec<NamedTensor> = shapes
        .iter()
        .map(|(name, shape)| {
            let values = (0..shape.iter().product()).map(number).collect();
            let storage = if name.starts_with("backbone") { Storage::F16 } else { Storage::F32 };
            ((*name).to_owned(), shape.to_vec(), TensorData::Values(storage, values))
        })
        .collect();
    out.push(("graph.readout.cosine".into(), vec![1], TensorData::Values(Storage::F32, vec![2.5])));
    out
}

#[test]
fn a_file_comes_back_and_has_one_id() {
    let file = write(&config(), &tensors()).expect("a valid model");
    assert_eq!(file, write(&config(), &tensors()).expect("a valid model"));
    let model = ModelFile::parse(&file).expect("what was written");
    assert_eq!((model.config.clone(), model.id), (config(), ModelId::of(&file)));
    model.check_tensors().expect("all tensors are there");
    let head = Head::read(&model).expect("a head");
    assert_eq!((head.cosine, head.layers.len(), head.projections.len()), (2.5, 1, 2));
    assert_eq!(head.projections[0], head.projections[1]);
    assert_eq!(model.id.to_string().parse(), Ok(model.id));
}

#[test]
fn a_missing_ill_shaped_or_infinite_tensor_is_named() {
    let refused = |change: &dyn Fn(&mut Vec<NamedTensor>)| {
        let mut tensors = tensors();
        change(&mut tensors);
        let file = write(&config(), &tensors).expect("the container does not mind");
        let model = ModelFile::parse(&file).expect("the header is fine");
        model.check_tensors().and_then(|()| Head::read(&model).map(|_| ())).expect_err("a bad tensor")
    };
    assert_eq!(refused(&|t| drop(t.remove(4))), ModelError::Missing("graph.project.weight".into()));
    assert!(
        matches!(refused(&|t| t[4].1 = vec![4, 3]), ModelError::Shape { name, .. } if name == "graph.project.weight")
    );
    let infinite = TensorData::Values(Storage::F32, vec![f32::INFINITY]);
    assert_eq!(refused(&|t| t[13].2 = infinite.clone()), ModelError::NotFinite("graph.readout.bias".into()));
    assert!(matches!(refused(&|t| t[3].2 = TensorData::Bytes(vec![0; 4])), ModelError::Dtype { .. }));
}

#[test]
fn a_configuration_outside_its_limits_is_refused_by_field() {
    let refused = |change: &dyn Fn(&mut ModelConfig)| {
        let mut config = config();
        change(&mut config);
        match config.check() {
            Err(ModelError::Config { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|c| c.format = 2), "format");
    assert_eq!(refused(&|c| c.pyramid.grids = vec![2]), "pyramid.grids");
    assert_eq!(refused(&|c| c.pyramid.grids = vec![1, 3, 2]), "pyramid.grids");
    assert_eq!(refused(&|c| c.graph.layers = 9), "graph.layers");
    assert_eq!(refused(&|c| c.graph.node_eps = 0.0), "graph.node_eps");
    assert_eq!(refused(&|c| c.graph.node_eps = 1e-13), "graph.node_eps");
    assert_eq!(refused(&|c| c.graph.attention_scale = 2e4), "graph.attention_scale");
    assert_eq!(refused(&|c| c.graph.attention_scale = f32::NAN), "graph.attention_scale");
    assert_eq!(refused(&|c| c.channels = 0), "channels");
    assert_eq!(refused(&|c| c.reduction = false), "channels");
    assert_eq!(refused(&|c| c.input.std = [0.0; 3]), "input.std");
    assert_eq!(refused(&|c| c.pyramid.pooling = Pooling::Gem { p: f32::NAN }), "pyramid.pooling.p");
}

#[test]
fn a_file_without_a_configuration_is_refused() {
    assert!(matches!(ModelFile::parse(b"").map(|_| ()), Err(ModelError::Container(_))));
    assert!(matches!(ModelFile::parse(b"\x02\0\0\0\0\0\0\0{}").map(|_| ()), Err(ModelError::NoConfig)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_change_of_a_file_makes_the_reader_panic(at in 0usize..3000, byte: u8, cut in 0usize..8000) {
        let mut file = write(&config(), &tensors()).expect("a valid model");
        let at = at % file.len();
        file[at] = byte;
        file.truncate(cut.max(8));
        if let Ok(model) = ModelFile::parse(&file) {
            let _ = model.check_tensors();
            let _ = Head::read(&model);
        }
    }
}

#[test]
fn an_excerpt_has_the_head_and_reads_no_more() {
    let file = write(&config(), &tensors()).expect("a valid model");
    let whole = ModelFile::parse(&file).expect("what was written");
    let mut taken = 0;
    let mut read = |from: usize, length: usize| {
        taken += length;
        Ok::<_, ModelError>(file.iter().skip(from).take(length).copied().collect())
    };
    let excerpt = model_file::excerpt("graph.", &mut read).expect("an excerpt");
    let part = ModelFile::parse_as(&excerpt, whole.id).expect("a file of its own");
    assert_eq!(Head::read(&part).expect("a head"), Head::read(&whole).expect("a head"));
    assert!(part.tensor_names().iter().all(|name| name.starts_with("graph.")));
    let graph: usize =
        tensors().iter().filter(|t| t.0.starts_with("graph.")).map(|t| 4 * t.1.iter().product::<usize>()).sum();
    let header = 8 + u64::from_le_bytes(file[..8].try_into().expect("eight bytes")) as usize;
    assert_eq!(taken, 8 + (header - 8) + graph);

    // Wherever it ends, an error and no panic.
    for end in 0..file.len() {
        let read = |from: usize, length: usize| {
            Ok::<_, ModelError>(file[..end].iter().skip(from).take(length).copied().collect())
        };
        if let Ok(excerpt) = model_file::excerpt("graph.", read) {
            assert!(end >= header + graph, "{end}");
            assert!(ModelFile::parse_as(&excerpt, whole.id).is_ok());
        }
    }
}
