//! Which instructions the kernel uses: the best that the processor has, chosen once, or a lower one by a variable.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

#[cfg(target_arch = "x86_64")]
use super::{
    avx2::Avx2,
    avx512::{Avx512, Avx512Vnni},
};
use crate::portable::Portable;

/// Environment variable that names the isa to use instead of the best.
pub const VARIABLE: &str = "GRNET_KERNEL";

/// The environment variable names no instruction set that this processor has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the scoring kernel's path (GRNET_KERNEL) is {got}, this processor has {allowed}")]
pub struct IsaError {
    /// Its value.
    pub got: String,
    /// The instruction sets of this processor.
    pub allowed: String,
}

/// The instructions that the kernels use, from slow to fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every processor has.
    Portable,
    /// AVX2, FMA and F16C: x86-64 from 2013 on.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
    /// Those and VNNI: the same for floats, and one instruction instead of two for 16-bit integers.
    Avx512Vnni,
}

impl Isa {
    /// All sets, from slow to fast.
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

    /// The sets that this processor has, from slow to fast.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.detect().is_some())
    }

    /// The isa of this process: the one that `GRNET_KERNEL` names, or the best. Looked up once.
    ///
    /// # Errors
    /// The variable names no isa, or one that this processor lacks.
    pub fn chosen() -> Result<Self, IsaError> {
        static CHOSEN: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
        CHOSEN.get_or_init(|| choose(std::env::var_os(VARIABLE).map(|v| v.to_string_lossy().into_owned()))).clone()
    }

    /// What to say where this processor lacks the isa.
    pub fn missing(self) -> IsaError {
        refused(self.name().to_owned())
    }

    /// The proof that this processor has the isa.
    pub fn detect(self) -> Option<Detected> {
        match self {
            Self::Portable => Some(Detected::Portable(Portable)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().map(Detected::Avx2),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().map(Detected::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => Avx512Vnni::detect().map(Detected::Avx512Vnni),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 | Self::Avx512Vnni => None,
        }
    }
}

fn refused(got: String) -> IsaError {
    IsaError { got, allowed: Isa::available().map(Isa::name).collect::<Vec<_>>().join(", ") }
}

fn choose(wanted: Option<String>) -> Result<Isa, IsaError> {
    let best = Isa::available().last().unwrap_or(Isa::Portable);
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(best);
    };
    let named = wanted.parse().ok().filter(|isa: &Isa| isa.detect().is_some());
    named.ok_or_else(|| refused(wanted))
}

impl FromStr for Isa {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|isa| isa.name() == name).ok_or(())
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A isa with the proof that the processor has it.
#[derive(Debug, Clone, Copy)]
pub enum Detected {
    /// [`Isa::Portable`].
    Portable(Portable),
    /// [`Isa::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// [`Isa::Avx512`].
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// [`Isa::Avx512Vnni`].
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512Vnni),
}

/// Calls a function that is generic over the instruction set.
#[macro_export]
macro_rules! with_simd {
    ($machine:expr, $lanes:ident => $call:expr) => {
        match $machine {
            $crate::Detected::Portable($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::Detected::Avx2($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::Detected::Avx512($lanes) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::Detected::Avx512Vnni($lanes) => $call,
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_chosen_unless_another_is_named() {
        let best = Isa::available().last();
        assert_eq!(choose(None).ok(), best);
        assert_eq!(choose(Some(String::new())).ok(), best);
        for isa in Isa::available() {
            assert_eq!(choose(Some(isa.name().into())), Ok(isa));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_says_what_is_allowed() {
        let error = choose(Some("mmx".into())).unwrap_err().to_string();
        assert!(error.contains("mmx") && error.contains("portable"), "{error}");
    }
}
