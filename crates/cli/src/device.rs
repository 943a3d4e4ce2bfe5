//! `grnet-engine device`: what there is to compute on.

use grnet_nn::device::Device;
use tch::Cuda;

/// What `--device auto` picks, and why.
pub fn run() -> String {
    // Set by the build script: libtorch itself only says whether there is a GPU.
    let compiled = option_env!("GRNET_CUDA") == Some("yes");
    let count = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    let picked = match Device::Auto.resolve() {
        Ok(tch::Device::Cuda(number)) => format!("cuda:{number}"),
        _ => "cpu".to_owned(),
    };
    let built = if compiled { "yes" } else { "no (built without it)" };
    let gpus = match (compiled, count) {
        (true, 0) => "none visible (no GPU, no NVIDIA driver, or CUDA_VISIBLE_DEVICES hides them)".to_owned(),
        (_, count) => count.to_string(),
    };
    let threads = grnet_nn::compute::threads(None);
    format!("auto picks: {picked}\nlibtorch with CUDA: {built}\nGPUs: {gpus}\nthreads: {threads}")
}
