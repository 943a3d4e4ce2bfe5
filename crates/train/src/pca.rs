//! A reduction without labels: principal components of regions, partly whitened.
//!
//! Jégou & Chum, "Negative evidences and co-occurrences in image retrieval" (ECCV 2012): the strongest components of
//! pooled maps say little about identity, and giving them less weight helps the cosine.

use tch::{Kind, Tensor};

use crate::error::TrainError;

/// Weight `[C, Cb]` and bias `[C]` of `y = Λ^{−whiten/2} Uᵀ (x − mean)` over the C largest components of the rows of
/// `x`, scaled so that the largest has gain 1.
///
/// # Errors
/// What libtorch refuses, and fewer rows than components.
pub fn reduction(x: &Tensor, channels: usize, whiten: f64) -> Result<(Tensor, Tensor), TrainError> {
    let (rows, from) = x.size2()?;
    if rows < channels as i64 || from < channels as i64 {
        return Err(TrainError::Option {
            option: "--channels",
            got: channels.to_string(),
            allowed: "at most the backbone's channels and the number of regions in the data",
        });
    }
    let mean = x.f_mean_dim([0i64].as_slice(), true, Kind::Float)?;
    let centred = x.f_sub(&mean)?;
    let covariance = centred.f_tr()?.f_matmul(&centred)?.f_to_kind(Kind::Double)? / rows as f64;
    // Ascending eigenvalues; vectors in columns.
    let (values, vectors) = covariance.f_linalg_eigh("L")?;
    let top = vectors.f_narrow(1, from - channels as i64, channels as i64)?.f_flip([1])?;
    let values = values.f_narrow(0, from - channels as i64, channels as i64)?.f_flip([0])?;
    let floor = values.f_select(0, 0)? * 1e-9;
    let gain = (values.f_maximum(&floor)? / values.f_select(0, 0)?).f_pow_tensor_scalar(-whiten / 2.0)?;
    // The sign of an eigenvector is arbitrary: its largest entry is made positive, so that a run can be repeated.
    let largest = top.f_gather(0, &top.f_abs()?.f_argmax(0, true)?, false)?;
    let weight = (top * largest.f_sign()? * gain).f_tr()?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let bias = weight.f_matmul(&mean.f_tr()?)?.f_view([-1])?.f_neg()?;
    Ok((weight, bias))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_centred_and_whitened() {
        tch::manual_seed(1);
        let noise = Tensor::randn([4000, 3], (Kind::Float, tch::Device::Cpu));
        let x = noise * Tensor::from_slice(&[1f32, 4.0, 2.0]) + Tensor::from_slice(&[5f32, -7.0, 3.0]);
        let (weight, bias) = reduction(&x, 2, 1.0).unwrap();
        let y = x.matmul(&weight.tr()) + bias;
        let mean = f64::try_from(y.mean_dim(0i64, false, Kind::Float).abs().max()).unwrap();
        assert!(mean < 1e-3, "{mean}");
        let spread = y.std_dim(0i64, true, false);
        let ratio = f64::try_from(spread.get(0) / spread.get(1)).unwrap();
        assert!((ratio - 1.0).abs() < 1e-2, "{ratio}");
        let first = Vec::<f32>::try_from(weight.get(0).abs()).unwrap();
        assert!(first[1] > 0.99 && first[0] < 0.1);
        assert!(reduction(&x, 4, 0.0).is_err());
    }
}
