//! The network on the processor against convolutions written down as their definition says.

use std::thread;

use grnet_backbone::{Folded, Image, Inverted, Network, ThreadPool, Workspace};
use grnet_simd::Isa;

/// Numbers in [−1, 1) from a seed.
struct Sequence(u64);

impl Sequence {
    fn take(&mut self, count: usize, scale: f32) -> Vec<f32> {
        let next = |x: &mut u64| {
            *x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*x >> 40) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next(&mut self.0) * scale).collect()
    }

    /// An image's bytes.
    fn bytes(&mut self, size: usize) -> Vec<u8> {
        self.take(size * size * 3, 128.0).into_iter().map(|v| (v + 128.0) as u8).collect()
    }

    /// Weights that neither die out nor all reach ReLU6's end.
    fn folded(&mut self, output: usize, inputs: usize) -> Folded {
        let weight = self.take(output * inputs, (6.0 / inputs as f32).sqrt());
        Folded { weight, bias: self.take(output, 1.0) }
    }

    fn block(&mut self, (input, output): (usize, usize), expansion: usize, side: usize, stride: usize) -> Inverted {
        let inner = input * expansion;
        Inverted {
            expand: (expansion > 1).then(|| self.folded(inner, input)),
            depthwise: self.folded(inner, side * side),
            project: self.folded(output, inner),
            side,
            stride,
            residual: stride == 1 && input == output,
        }
    }
}

/// What a byte is, for each colour: in [−1, 1], and nothing at one byte in the middle.
fn values() -> [[f32; 256]; 3] {
    [96, 127, 141].map(|zero| std::array::from_fn(|byte| (byte as f32 - zero as f32) / 160.0))
}

/// A map `[side, side, channels]`.
type Map = (usize, Vec<f64>);

/// A convolution by its definition, with TensorFlow's SAME padding.
fn convolved((size, x): &Map, folded: &Folded, side: usize, stride: usize, depthwise: bool, active: bool) -> Map {
    let (output, channels) = (folded.bias.len(), x.len() / size / size);
    let (out_size, before) = (size / stride, (side - stride) / 2);
    let inputs = if depthwise { 1 } else { channels };
    let mut y = Vec::with_capacity(out_size * out_size * output);
    for (row, column) in (0..out_size).flat_map(|row| (0..out_size).map(move |column| (row, column))) {
        for o in 0..output {
            let mut sum = f64::from(folded.bias[o]);
            for (r, c) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))) {
                let (Some(at_y), Some(at_x)) =
                    ((row * stride + r).checked_sub(before), (column * stride + c).checked_sub(before))
                else {
                    continue;
                };
                if at_y >= *size || at_x >= *size {
                    continue;
                }
                for i in 0..inputs {
                    let channel = if depthwise { o } else { i };
                    let weight = folded.weight[(o * inputs + i) * side * side + r * side + c];
                    sum += f64::from(weight) * x[(at_y * size + at_x) * channels + channel];
                }
            }
            y.push(if active { sum.clamp(0.0, 6.0) } else { sum });
        }
    }
    (out_size, y)
}

fn defined(image: &Image<'_>, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Vec<f64> {
    let values = image.bytes.iter().enumerate().map(|(at, byte)| image.values[at % 3][usize::from(*byte)]);
    let mut x = (image.size, values.map(f64::from).collect());
    x = convolved(&x, stem, 3, 2, false, true);
    for block in blocks {
        let mut y = match &block.expand {
            Some(expand) => convolved(&x, expand, 1, 1, false, true),
            None => x.clone(),
        };
        y = convolved(&y, &block.depthwise, block.side, block.stride, true, true);
        y = convolved(&y, &block.project, 1, 1, false, false);
        if block.residual {
            y.1.iter_mut().zip(&x.1).for_each(|(y, x)| *y += x);
        }
        x = y;
    }
    convolved(&x, head, 1, 1, false, true).1
}

/// Channels that fill no vector, both kernels and strides, a block that expands nothing, one that adds its input, more channels
/// than a piece of an operand has, maps of sides that are no multiple of a block of cells.
fn network(seed: u64) -> (Folded, Vec<Inverted>, Folded) {
    let mut random = Sequence(seed);
    let stem = random.folded(24, 27);
    let blocks = vec![
        random.block((24, 16), 1, 3, 1),
        random.block((16, 20), 6, 3, 2),
        random.block((20, 20), 6, 5, 1),
        random.block((20, 48), 3, 5, 2),
        random.block((48, 48), 6, 3, 1),
        random.block((48, 40), 6, 3, 2),
        random.block((40, 33), 2, 5, 2),
    ];
    let head = random.folded(64, 33);
    (stem, blocks, head)
}

#[test]
fn every_path_agrees_with_the_definition() {
    let mut paths = 0;
    // 224: maps of whole blocks of cells a row, and of 7.
    for size in [32, 96, 128, 224] {
        let (stem, blocks, head) = network(size as u64);
        let (bytes, values) = (Sequence(7).bytes(size), values());
        let image = Image { size, bytes: &bytes, values: &values };
        let expected = defined(&image, &stem, &blocks, &head);
        let open = expected.iter().filter(|&&v| v > 0.0 && v < 6.0).count();
        assert!(open * 4 > expected.len(), "{open} of {} values say something", expected.len());
        for path in Isa::available() {
            let Some(network) = Network::new(path, &stem, &blocks, &head) else {
                assert_eq!(path, Isa::Portable);
                continue;
            };
            let got = network.map(image, &mut Workspace::default(), &Threads(1));
            assert_eq!(got.len(), expected.len());
            let worst = got.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-4, "{path}, {size} pixels: {worst}");
            paths += 1;
        }
    }
    assert!(paths > 0 || cfg!(not(target_arch = "x86_64")));
}

/// Every number of cells a side up to 20 and some beyond, so that blocks, strips and pieces end everywhere; and the largest
/// image that a model file may ask for.
#[test]
fn every_size_that_a_model_file_may_have_agrees_with_the_definition() {
    let mut random = Sequence(11);
    let stem = random.folded(16, 27);
    let blocks = [random.block((16, 16), 1, 3, 2), random.block((16, 17), 3, 5, 2), random.block((17, 17), 2, 3, 1)];
    let blocks = [&blocks[..], &[random.block((17, 24), 2, 5, 2), random.block((24, 24), 2, 5, 2)]].concat();
    let head = random.folded(16, 24);
    let sizes = (1..=20).chain([27, 33, 40, 64]).map(|cells| 32 * cells);
    for size in sizes {
        let (bytes, values) = (Sequence(size as u64).bytes(size), values());
        let image = Image { size, bytes: &bytes, values: &values };
        let expected = defined(&image, &stem, &blocks, &head);
        let paths = Isa::available().filter_map(|path| Some((path, Network::new(path, &stem, &blocks, &head)?)));
        for (path, network) in paths {
            let got = network.map(image, &mut Workspace::default(), &Threads(2));
            assert_eq!(got.len(), expected.len());
            let worst = got.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-4, "{path}, {size} pixels: {worst}");
        }
    }
}

/// Operands keep 8 bits: a sum of many products is off by less than one of them.
#[test]
fn products_of_bf16_are_near_the_definition() {
    let (stem, blocks, head) = network(5);
    let Some(network) = Network::bf16(&stem, &blocks, &head) else {
        println!("not here: the processor has no products of bf16");
        return;
    };
    for size in [96, 224] {
        let (bytes, values) = (Sequence(7).bytes(size), values());
        let image = Image { size, bytes: &bytes, values: &values };
        let expected = defined(&image, &stem, &blocks, &head);
        let got = network.map(image, &mut Workspace::default(), &Threads(1));
        let square = |v: f64| v * v;
        let error: f64 = got.iter().zip(&expected).map(|(a, b)| square(f64::from(*a) - b)).sum();
        let whole: f64 = expected.iter().map(|v| square(*v)).sum();
        let relative = (error / whole).sqrt();
        println!("{size} pixels: relative error {relative:.2e}");
        assert!(relative < 2e-2 && relative > 1e-5, "{size} pixels: {relative}");
    }
}

#[test]
fn memory_that_another_image_used_changes_no_bit() {
    let (stem, blocks, head) = network(1);
    let Some(network) = Isa::available().filter_map(|path| Network::new(path, &stem, &blocks, &head)).last() else {
        return;
    };
    let (large, small, values) = (Sequence(2).bytes(128), Sequence(3).bytes(64), values());
    let large = Image { size: 128, bytes: &large, values: &values };
    let small = Image { size: 64, bytes: &small, values: &values };
    let alone = network.map(small, &mut Workspace::default(), &Threads(1));
    let mut workspace = Workspace::default();
    for _ in 0..2 {
        network.map(large, &mut workspace, &Threads(1));
        assert_eq!(network.map(small, &mut workspace, &Threads(1)), alone);
    }
}

/// Threads that take pieces in turn.
struct Threads(usize);

impl ThreadPool for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn each(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        thread::scope(|scope| {
            for thread in 0..self.0 {
                scope.spawn(move || (thread..pieces).step_by(self.0).for_each(work));
            }
        });
    }
}

/// 96: maps that are cut as one thread would; 224: all are cut, those of 7 cells a side too; 64: a last map of four cells.
#[test]
fn a_map_has_the_same_bits_however_many_threads_share_it() {
    let (stem, blocks, head) = network(4);
    let floats = Isa::available().filter_map(|path| Network::new(path, &stem, &blocks, &head));
    for network in floats.chain(Network::bf16(&stem, &blocks, &head)) {
        for size in [64, 96, 224] {
            let (bytes, values) = (Sequence(size as u64).bytes(size), values());
            let image = Image { size, bytes: &bytes, values: &values };
            let alone = network.map(image, &mut Workspace::default(), &Threads(1));
            let mut workspace = Workspace::default();
            for threads in [2, 3, 7, 64] {
                let shared = network.map(image, &mut workspace, &Threads(threads));
                assert!(shared == alone, "{size} pixels, {threads} threads");
            }
        }
    }
}
