//! Which instructions the kernel uses: the best that the processor has, chosen once, or a lower one by a variable.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{
    avx2::Avx2,
    avx512::{Avx512, Avx512Vnni},
};
use crate::error::ScoreError;

/// Environment variable that names the path to use instead of the best.
pub const VARIABLE: &str = "GRNET_KERNEL";

/// The instructions that the kernel uses, from slow to fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// What every processor has.
    Portable,
    /// AVX2, FMA and F16C: x86-64 from 2013 on.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
    /// Those and VNNI: the same for floats, and one instruction instead of two for short integers.
    Avx512Vnni,
}

impl Path {
    /// All paths, from slow to fast.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Vnni];

    /// The name, as the variable takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512vnni",
        }
    }

    /// The paths that this processor has, from slow to fast.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|path| path.machine().is_some())
    }

    /// The path of this process: the one that `GRNET_KERNEL` names, or the best. Looked up once.
    ///
    /// # Errors
    /// The variable names no path, or one that this processor lacks.
    pub fn chosen() -> Result<Self, ScoreError> {
        static CHOSEN: OnceLock<Result<Path, ScoreError>> = OnceLock::new();
        CHOSEN.get_or_init(|| choose(std::env::var_os(VARIABLE).map(|v| v.to_string_lossy().into_owned()))).clone()
    }

    /// What to say where this processor lacks the path.
    pub(crate) fn missing(self) -> ScoreError {
        refused(self.name().to_owned())
    }

    /// The proof that this processor has the path.
    pub(crate) fn machine(self) -> Option<Machine> {
        match self {
            Self::Portable => Some(Machine::Portable(Portable)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().map(Machine::Avx2),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().map(Machine::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => Avx512Vnni::detect().map(Machine::Avx512Vnni),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 | Self::Avx512Vnni => None,
        }
    }
}

fn refused(got: String) -> ScoreError {
    ScoreError::Kernel { got, allowed: Path::available().map(Path::name).collect::<Vec<_>>().join(", ") }
}

fn choose(wanted: Option<String>) -> Result<Path, ScoreError> {
    let best = Path::available().last().unwrap_or(Path::Portable);
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(best);
    };
    let named = wanted.parse().ok().filter(|path: &Path| path.machine().is_some());
    named.ok_or_else(|| refused(wanted))
}

impl FromStr for Path {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|path| path.name() == name).ok_or(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A path with the proof that the processor has it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Machine {
    /// [`Path::Portable`].
    Portable(Portable),
    /// [`Path::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// [`Path::Avx512`].
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// [`Path::Avx512Vnni`].
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512Vnni),
}

/// Calls a function that is generic over the instruction set.
macro_rules! with_lanes {
    ($machine:expr, $lanes:ident => $call:expr) => {
        match $machine {
            $crate::kernel::Machine::Portable($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::Machine::Avx2($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::Machine::Avx512($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::Machine::Avx512Vnni($lanes) => $call,
        }
    };
}
pub(crate) use with_lanes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_chosen_unless_another_is_named() {
        let best = Path::available().last();
        assert_eq!(choose(None).ok(), best);
        assert_eq!(choose(Some(String::new())).ok(), best);
        for path in Path::available() {
            assert_eq!(choose(Some(path.name().into())), Ok(path));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_says_what_is_allowed() {
        let error = choose(Some("mmx".into())).unwrap_err().to_string();
        assert!(error.contains("mmx") && error.contains("portable"), "{error}");
    }
}
