//! A server with a network that can be held, and a client that says what it wants.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use grnet_features::config::{Backbone, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::model_file::{self, ModelFile, ModelId};
use grnet_features::pyramid;
use grnet_features::value::Features;
use grnet_image::Picture;
use grnet_serve::jobs::commands::JobCommands;
use grnet_serve::ports::{Decoder, Loader, Network};
use grnet_serve::server::Server;
use grnet_serve::settings::{Limits, Settings};
use grnet_wire::{Drawing, Failure, Image, ImageFault, ImageRefusal, Outcome, Region, Reply, Request, Stats};

pub use super::client::{Client, PATIENCE, eventually};

/// What the test's network saw and is told.
#[derive(Default)]
pub struct Bench {
    held: Mutex<bool>,
    change: Condvar,
    /// The first byte of each image of each batch, warm-ups aside.
    pub batches: Mutex<Vec<Vec<u8>>>,
    /// Batches that reached the network.
    pub entered: AtomicUsize,
    /// Images decoded for the network.
    pub decoded: AtomicUsize,
    /// Images decoded for a map.
    pub pictures: AtomicUsize,
    /// Every further batch is an error.
    pub broken: AtomicBool,
}

impl Bench {
    /// Keeps the network from finishing a batch.
    pub fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    /// Lets it finish.
    pub fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.change.notify_all();
    }

    pub fn batches(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.batches.lock().unwrap()
    }
}

struct TestLoader(Arc<Bench>);

impl Loader for TestLoader {
    fn device(&self) -> String {
        "test".into()
    }

    fn precision(&self) -> String {
        "f32".into()
    }

    fn warm_up(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn load(&mut self, file: &ModelFile<'_>) -> Result<Box<dyn Network>, String> {
        if file.tensor_names().iter().any(|name| name == "unloadable") {
            return Err("tensor `x` is missing".into());
        }
        if file.tensor_names().iter().any(|name| name == "panics") {
            panic!("the test's loader panics on purpose");
        }
        let values = pyramid::regions(&file.config.pyramid.grids) * file.config.channels;
        Ok(Box::new(TestNetwork { bench: Arc::clone(&self.0), values, warm: false }))
    }
}

struct TestNetwork {
    bench: Arc<Bench>,
    values: usize,
    warm: bool,
}

/// A byte that makes the network panic.
pub const PANIC: u8 = 250;
/// A byte that makes the network's result unstorable.
pub const INFINITE: u8 = 251;

impl Network for TestNetwork {
    fn embed(&mut self, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, String> {
        if std::mem::replace(&mut self.warm, true) {
            self.bench.batches().push(pixels.iter().map(|image| image[0]).collect());
            self.bench.entered.fetch_add(1, Ordering::SeqCst);
            let mut held = self.bench.held.lock().unwrap();
            while *held {
                held = self.bench.change.wait(held).unwrap();
            }
        }
        if self.bench.broken.load(Ordering::SeqCst) {
            return Err("out of memory on the device".into());
        }
        let value = |byte: u8| match byte {
            PANIC => panic!("the test's network panics on purpose"),
            INFINITE => f32::INFINITY,
            byte => f32::from(byte),
        };
        Ok(pixels.iter().map(|image| vec![value(image[0]); self.values]).collect())
    }
}

/// `ok N` is an image of bytes N; `slow N` takes 50 ms; `half N` is one only for the network; `panic` and anything else
/// is bad.
struct TestDecoder(Arc<Bench>);

impl Decoder for TestDecoder {
    fn prepare(
        &self,
        bytes: &[u8],
        _: Option<Region>,
        input: &Input,
        limits: grnet_image::Limits,
    ) -> Result<Vec<u8>, ImageRefusal> {
        let refuse = |fault, message: &str| Err(ImageRefusal { fault, message: message.into(), hint: None });
        if bytes.len() as u64 > limits.max_bytes {
            return refuse(ImageFault::TooLarge, "too many bytes");
        }
        self.0.decoded.fetch_add(1, Ordering::SeqCst);
        let side = input.size as usize;
        match bytes {
            b"panic" => panic!("the test's decoder panics on purpose"),
            [b'o', b'k', n, ..] | [b'h', b'a', b'l', b'f', n] => Ok(vec![*n; side * side * 3]),
            [b's', b'l', b'o', b'w', n, ..] => {
                std::thread::sleep(Duration::from_millis(50));
                Ok(vec![*n; side * side * 3])
            }
            _ => refuse(ImageFault::BadImage, "not an image"),
        }
    }

    /// As high as it may be, half as wide.
    fn picture(&self, bytes: &[u8], longest: u32, _: grnet_image::Limits) -> Result<Picture, ImageRefusal> {
        self.0.pictures.fetch_add(1, Ordering::SeqCst);
        let [b'o', b'k', n, ..] = bytes else { panic!("the test's decoder panics on purpose") };
        let pixels = vec![*n; (longest / 2 * longest * 3) as usize];
        Ok(Picture::new(longest / 2, longest, pixels).unwrap())
    }
}

/// A model file whose graph listens to all pairs alike; different `salt`, different id.
pub fn model_file(salt: f32, name: &str) -> Vec<u8> {
    let config = ModelConfig {
        format: 1,
        backbone: Backbone::Patches { patch: 4 },
        backbone_channels: 2,
        reduction: false,
        channels: 2,
        input: Input { size: 8, fit: Fit::Stretch, mean: [0.0; 3], std: [1.0; 3] },
        pyramid: Pyramid { grids: vec![1, 2], pooling: Pooling::Average, normalise: false },
        graph: Graph {
            dim: 2,
            layers: 1,
            project_bias: false,
            attention_bias: false,
            update_bias: false,
            ..Graph::default()
        },
    };
    let tensor = |name: &str, shape: &[usize], value: f32| {
        let values = vec![value; shape.iter().product()];
        (name.to_owned(), shape.to_vec(), model_file::TensorData::Values(model_file::Storage::F32, values))
    };
    let tensors = [
        tensor(name, &[1], salt),
        tensor("graph.project.weight", &[2, 2], 0.0),
        tensor("graph.layers.0.out.weight", &[2, 2], 0.0),
        tensor("graph.layers.0.in.weight", &[2, 2], 0.0),
        tensor("graph.layers.0.update.weight", &[2, 2], 0.0),
        tensor("graph.readout.weight", &[2], 0.0),
        tensor("graph.readout.bias", &[1], 0.0),
    ];
    model_file::write(&config, &tensors).unwrap()
}

/// Limits that tests change.
pub fn limits() -> Limits {
    Limits { max_batch_wait: Duration::from_millis(20), write_timeout: Duration::from_millis(500), ..Limits::default() }
}

/// The server's tests run no jobs.
const COMMANDS: JobCommands =
    JobCommands { train: || clap::Command::new("train"), evaluate: || clap::Command::new("eval"), check: |_| Ok(()) };

/// A running server.
pub struct Running {
    pub folder: tempfile::TempDir,
    pub bench: Arc<Bench>,
    pub server: Option<Server>,
    pub model: ModelId,
}

impl Running {
    pub fn start(limits: Limits) -> Self {
        Self::failing(limits, 0)
    }

    pub fn failing(limits: Limits, fail_nth: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Arc::new(Bench::default());
        let settings = Settings { socket: folder.path().join("s"), decoders: 2, limits, fence: "off".into(), fail_nth };
        let loader = Box::new(TestLoader(Arc::clone(&bench)));
        let decoder = Arc::new(TestDecoder(Arc::clone(&bench)));
        let server = Server::start(settings, COMMANDS, loader, decoder, mpsc::channel()).unwrap();
        Self { folder, bench, server: Some(server), model: ModelId([0; 8]) }
    }

    /// A server that has the model already.
    pub fn with_model(limits: Limits) -> Self {
        let mut running = Self::start(limits);
        let file = model_file(1.0, "a");
        running.model = ModelId::of(&file);
        let mut client = running.connect();
        let reply = client.ask(&Request::Model { id: 1, file: &file });
        assert_eq!(reply, Reply::ModelReady { id: 1, model: running.model });
        running
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// A connection after its handshake.
    pub fn connect(&self) -> Client {
        Client::connect(&self.socket()).unwrap()
    }

    pub fn stats(&self) -> Stats {
        match self.connect().ask(&Request::Stats { id: 9 }) {
            Reply::Stats { id: 9, stats } => stats,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.bench.release();
        if let Some(server) = self.server.take() {
            let ended = server.stop(PATIENCE);
            assert!(ended || std::thread::panicking(), "a thread of the server did not end");
        }
    }
}

/// A request for the images `ok N`, with all the time of the world.
pub fn embed<'a>(id: u64, model: ModelId, images: &'a [&'a [u8]]) -> Request<'a> {
    embed_within(id, model, 60_000, images)
}

pub fn embed_within<'a>(id: u64, model: ModelId, deadline_ms: u32, images: &'a [&'a [u8]]) -> Request<'a> {
    let images = images.iter().map(|bytes| Image { bytes, region: None }).collect();
    Request::Embed { id, model, deadline_ms, max_bytes: 1 << 20, max_pixels: 1 << 20, images }
}

/// A request for the map of two images.
pub fn match_map<'a>(id: u64, model: ModelId, deadline_ms: u32, query: &'a [u8], item: &'a [u8]) -> Request<'a> {
    Request::MatchMap { id, model, deadline_ms, max_bytes: 1 << 20, max_pixels: 1 << 20, query, item }
}

/// What was drawn.
pub fn drawing(reply: Reply) -> Drawing {
    match reply {
        Reply::MatchMap { drawing, .. } => drawing,
        other => panic!("{other:?}"),
    }
}

/// The outcomes of a reply that must be features.
pub fn outcomes(reply: Reply) -> Vec<Outcome> {
    match reply {
        Reply::Features { images, .. } => images,
        other => panic!("{other:?}"),
    }
}

/// The number in an image's features.
pub fn number(outcome: &Outcome) -> f32 {
    match outcome {
        Outcome::Features(value) => Features::parse_untrusted(value).unwrap().to_f32()[0],
        other => panic!("{other:?}"),
    }
}

pub fn failure(reply: Reply) -> Failure {
    match reply {
        Reply::Failed { failure, .. } => failure,
        other => panic!("{other:?}"),
    }
}
