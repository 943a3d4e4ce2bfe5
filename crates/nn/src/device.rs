//! Where the network runs, and in which precision.

use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tch::{Cuda, Kind};

use crate::error::NnError;

/// A device setting: `auto`, `cpu` or `cuda:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// `cuda:0` where libtorch sees a GPU, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of that number.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = NnError;

    fn from_str(text: &str) -> Result<Self, NnError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            _ => text
                .strip_prefix("cuda:")
                .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|n| n.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| NnError::DeviceName(text.to_owned())),
        }
    }
}

impl Device {
    /// The device itself.
    ///
    /// # Errors
    /// [`NnError::NoGpu`] where the GPU asked for is not there.
    pub fn resolve(self) -> Result<tch::Device, NnError> {
        let available = if Cuda::is_available() { Cuda::device_count() } else { 0 };
        match self {
            Self::Auto if available > 0 => Ok(tch::Device::Cuda(0)),
            Self::Auto | Self::Cpu => Ok(tch::Device::Cpu),
            Self::Cuda(index) if (index as i64) < available => Ok(tch::Device::Cuda(index)),
            Self::Cuda(index) => Err(NnError::NoGpu { index, available }),
        }
    }
}

/// Number type of the backbone. The pyramid is always pooled and reduced in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16: 8 bits of mantissa.
    Bf16,
}

impl FromStr for Precision {
    type Err = NnError;

    fn from_str(text: &str) -> Result<Self, NnError> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err(NnError::PrecisionName(text.to_owned())),
        }
    }
}

impl Precision {
    /// libtorch's name for it.
    pub fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::Bf16 => Kind::BFloat16,
        }
    }
}

/// Makes libtorch's threads sleep while they wait for each other, by starting this program once more with
/// `OMP_WAIT_POLICY=PASSIVE`: libgomp reads it before `main` and cannot be told later. Same process, same arguments.
/// Does nothing where the policy is set, and returns where the program cannot be started again.
///
/// By default they spin, and two of them on two busy cores wait out each other's time slices: 0.4 images a second at
/// batch 1 against 62 asleep (EfficientNet-Lite0, f32, load 5 on 2 cores).
pub fn wait_asleep() {
    use std::os::unix::process::CommandExt;
    if std::env::var_os("OMP_WAIT_POLICY").is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let Ok(program) = std::env::current_exe() else { return };
    let mut again = std::process::Command::new(&program);
    again.arg0(arguments.next().unwrap_or_else(|| program.into_os_string()));
    // Returns only where it fails: then the default stays.
    let _ = again.args(arguments).env("OMP_WAIT_POLICY", "PASSIVE").exec();
}

/// Cores for what this process computes itself; 0: as many as libtorch's threads.
static CORES: AtomicUsize = AtomicUsize::new(0);

/// Shares `threads` cores between decoders and networks. libtorch leaves one to the decoders: two pools that both want
/// every core wait for each other. Networks without libtorch are pieces of work that wait for little, and take all.
pub fn share_cores(threads: usize) {
    set_threads(threads.saturating_sub(1).max(1));
    CORES.store(threads, Relaxed);
}

/// What [`share_cores`] set, or the number of libtorch's threads.
pub(super) fn cores() -> usize {
    match CORES.load(Relaxed) {
        0 => usize::try_from(tch::get_num_threads()).unwrap_or(1),
        cores => cores,
    }
}

/// Limits libtorch's threads for one operation. Applies to the whole process; call before the first operation.
pub fn set_threads(threads: usize) {
    tch::set_num_threads(i32::try_from(threads.clamp(1, 1024)).unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_anything_else_is_refused_by_name() {
        assert_eq!("auto".parse::<Device>().unwrap(), Device::Auto);
        assert_eq!("cpu".parse::<Device>().unwrap(), Device::Cpu);
        assert_eq!("cuda:3".parse::<Device>().unwrap(), Device::Cuda(3));
        for bad in ["", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:+1", "CPU", "cuda:99999999999999999999"] {
            let error = bad.parse::<Device>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
        assert_eq!("bf16".parse::<Precision>().unwrap(), Precision::Bf16);
        assert!("f16".parse::<Precision>().is_err());
    }

    #[test]
    fn a_gpu_that_is_not_there_is_named() {
        let error = Device::Cuda(4095).resolve().unwrap_err().to_string();
        assert!(error.contains("cuda:4095"), "{error}");
    }
}
