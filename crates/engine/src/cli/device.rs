//! `grnet-engine device`: what there is to compute on.

use tch::Cuda;

use crate::network::Device;

/// Prints what `--device auto` picks, and why.
pub fn run() {
    // Set by the build script: libtorch itself only says whether there is a GPU.
    let compiled = option_env!("GRNET_CUDA") == Some("yes");
    let count = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    let picked = match Device::Auto.resolve() {
        Ok(tch::Device::Cuda(number)) => format!("cuda:{number}"),
        _ => "cpu".to_owned(),
    };
    println!("auto picks: {picked}");
    println!("libtorch with CUDA: {}", if compiled { "yes" } else { "no (built without it)" });
    match (compiled, count) {
        (true, 0) => println!("GPUs: none visible (no GPU, no NVIDIA driver, or CUDA_VISIBLE_DEVICES hides them)"),
        (_, count) => println!("GPUs: {count}"),
    }
    println!("threads: {}", super::threads(None));
}
