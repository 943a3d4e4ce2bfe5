//! What this processor can do at most: multiply-adds on registers alone, 24 sums a thread.

use std::time::{Duration, Instant};

use super::Failure;

/// Sums of a thread: more than latency times throughput of any of the instructions.
const SUMS: usize = 24;

/// Steps between two looks at the clock.
const STEPS: usize = 200_000;

/// G operations a second of all threads together, the best of many short runs; multiply and add count one each.
pub fn peak(kind: &str, threads: usize, long: Duration) -> Result<f64, Failure> {
    let (run, operations): (fn(), usize) = choose(kind)?;
    let best = move || {
        let (mut best, begin) = (0.0f64, Instant::now());
        while begin.elapsed() < long {
            let start = Instant::now();
            run();
            best = best.max((STEPS * SUMS * operations) as f64 / start.elapsed().as_secs_f64() / 1e9);
        }
        best
    };
    Ok(std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(best)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum()
    }))
}

#[cfg(not(target_arch = "x86_64"))]
fn choose(kind: &str) -> Result<(fn(), usize), Failure> {
    Err(format!("no instruction for {kind} is measured on this processor").into())
}

#[cfg(target_arch = "x86_64")]
fn choose(kind: &str) -> Result<(fn(), usize), Failure> {
    x86::choose(kind)
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that were asked for before")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::{Failure, STEPS, SUMS};

    /// A loop over one instruction, and the function that calls it where the processor has it.
    macro_rules! instruction {
        ($name:ident, $features:literal, $start:expr, $sum:ident => $step:expr) => {
            fn $name() {
                #[target_feature(enable = $features)]
                fn run() {
                    let mut sums = [$start(0); SUMS];
                    for (n, sum) in sums.iter_mut().enumerate() {
                        *sum = black_box($start(n as i32));
                    }
                    for _ in 0..STEPS {
                        for $sum in &mut sums {
                            *$sum = $step;
                        }
                    }
                    black_box(sums);
                }
                // SAFETY: `choose` gives the function out where the processor has the instruction.
                unsafe { run() }
            }
        };
    }

    instruction!(fma_512, "avx512f", |n: i32| _mm512_set1_ps(n as f32), sum => {
        _mm512_fmadd_ps(*sum, _mm512_set1_ps(0.999_999), _mm512_set1_ps(1e-6))
    });
    instruction!(fma_256, "avx2,fma", |n: i32| _mm256_set1_ps(n as f32), sum => {
        _mm256_fmadd_ps(*sum, _mm256_set1_ps(0.999_999), _mm256_set1_ps(1e-6))
    });
    instruction!(bf16_512, "avx512f,avx512bf16", |n: i32| _mm512_set1_ps(n as f32), sum => {
        let ones = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1.0), _mm512_set1_ps(1.0));
        _mm512_dpbf16_ps(*sum, ones, ones)
    });
    instruction!(i16_512, "avx512f,avx512vnni", |n: i32| _mm512_set1_epi32(n), sum => {
        _mm512_dpwssd_epi32(*sum, _mm512_set1_epi32(1), _mm512_set1_epi32(1))
    });
    instruction!(i8_512, "avx512f,avx512vnni", |n: i32| _mm512_set1_epi32(n), sum => {
        _mm512_dpbusd_epi32(*sum, _mm512_set1_epi32(1), _mm512_set1_epi32(1))
    });

    pub fn choose(kind: &str) -> Result<(fn(), usize), Failure> {
        let wide = is_x86_feature_detected!("avx512f");
        let vnni = wide && is_x86_feature_detected!("avx512vnni");
        match kind {
            "f32" if wide => Ok((fma_512, 32)),
            "f32" if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") => Ok((fma_256, 16)),
            "bf16" if wide && is_x86_feature_detected!("avx512bf16") => Ok((bf16_512, 64)),
            "i16" if vnni => Ok((i16_512, 64)),
            "i8" if vnni => Ok((i8_512, 128)),
            _ => Err(format!("this processor has no {kind} dot products that are measured here").into()),
        }
    }
}
