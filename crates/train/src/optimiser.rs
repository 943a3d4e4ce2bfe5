//! AdamW whose state can be kept, so that a training that was killed goes on as if it had not been.
//!
//! Loshchilov & Hutter, "Decoupled weight decay regularization" (ICLR 2019). libtorch's own hides its moments from tch.

use grnet_nn::NnError;
use tch::Tensor;

/// Decay of the mean of gradients and of their squares, and what is added to a root: PyTorch's defaults.
const BETAS: (f64, f64) = (0.9, 0.999);
const EPS: f64 = 1e-8;

/// What a parameter learns with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Learning rate at the schedule's peak.
    pub rate: f64,
    /// Share of itself that a weight loses a step, times the rate.
    pub decay: f64,
}

/// A variable with what is remembered of its gradients.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in a checkpoint.
    pub name: String,
    /// The variable; the network holds the same one.
    pub value: Tensor,
    /// Mean of its gradients.
    pub mean: Tensor,
    /// Mean of their squares.
    pub square: Tensor,
    pace: Pace,
}

impl Parameter {
    /// Makes `tensor` a variable that learns.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn of(name: String, tensor: &mut Tensor, pace: Pace) -> Result<Self, NnError> {
        let value = tensor.detach().copy().set_requires_grad(true);
        *tensor = value.shallow_clone();
        let zeros = || value.detach().f_zeros_like();
        Ok(Self { name, mean: zeros()?, square: zeros()?, value, pace })
    }
}

/// The optimiser.
#[derive(Debug)]
pub struct AdamW {
    /// What learns.
    pub parameters: Vec<Parameter>,
    /// Steps done.
    pub steps: i32,
}

impl AdamW {
    /// One step along the gradients that a backward pass has left, which are shortened to `longest` together and then
    /// cleared. `share` of the peak's rate is used. Returns the gradients' length. Where that is no number nothing has
    /// moved: behind such a step every weight and every mean would be lost, and a checkpoint would keep them so.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn step(&mut self, share: f64, longest: f64) -> Result<f64, NnError> {
        tch::no_grad(|| {
            let mut moved = Vec::new();
            for parameter in &mut self.parameters {
                let gradient = parameter.value.grad();
                if gradient.defined() {
                    moved.push((parameter, gradient));
                }
            }
            let squares = moved.iter().map(|(_, g)| g.f_square()?.f_sum(tch::Kind::Float));
            let squares = squares.collect::<Result<Vec<_>, _>>()?;
            let length = f64::try_from(Tensor::f_stack(&squares, 0)?.f_sum(tch::Kind::Double)?)?.sqrt();
            if !length.is_finite() {
                return Ok(length);
            }
            self.steps += 1;
            let (first, second) = (1.0 - BETAS.0.powi(self.steps), 1.0 - BETAS.1.powi(self.steps));
            let shorter = (longest / (length + 1e-6)).min(1.0);
            for (Parameter { value, mean, square, pace, .. }, mut gradient) in moved {
                let g = gradient.f_mul_scalar(shorter)?;
                let _ = mean.f_mul_scalar_(BETAS.0)?.f_add_(&g.f_mul_scalar(1.0 - BETAS.0)?)?;
                let _ = square.f_mul_scalar_(BETAS.1)?.f_addcmul_(&(&g * (1.0 - BETAS.1)), &g)?;
                let rate = pace.rate * share;
                let root = square.f_div_scalar(second)?.f_sqrt()?.f_add_scalar(EPS)?;
                let _ = value.f_mul_scalar_(1.0 - rate * pace.decay)?;
                let _ = value.f_sub_(&mean.f_div(&root)?.f_mul_scalar(rate / first)?)?;
                let _ = gradient.f_zero_()?;
            }
            Ok(length)
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::nn::OptimizerConfig;
    use tch::{Kind, nn};

    use super::*;

    #[test]
    fn it_moves_as_libtorch_s_own_does() {
        let start = Tensor::from_slice(&[1.0f32, -2.0, 3.0]);
        let loss = |v: &Tensor, step: i32| (v - f64::from(step)).square().sum(Kind::Float) + v.sin().sum(Kind::Float);
        let store = nn::VarStore::new(tch::Device::Cpu);
        let theirs = store.root().var_copy("v", &start);
        let mut libtorch = nn::AdamW { wd: 0.1, ..nn::AdamW::default() }.build(&store, 0.05).unwrap();
        let mut ours = start.copy();
        let parameter = Parameter::of("v".into(), &mut ours, Pace { rate: 0.1, decay: 0.1 }).unwrap();
        let mut optimiser = AdamW { parameters: vec![parameter], steps: 0 };
        for step in 0..20 {
            libtorch.backward_step_clip_norm(&loss(&theirs, step), 1.5);
            loss(&ours, step).backward();
            optimiser.step(0.5, 1.5).unwrap();
        }
        let apart = f64::try_from((&ours - &theirs).abs().max()).unwrap();
        assert!(apart < 1e-6, "{apart}");
        assert!(f64::try_from((ours - start).abs().max()).unwrap() > 0.1);
    }

    #[test]
    fn a_gradient_that_is_no_number_moves_nothing() {
        let mut value = Tensor::from_slice(&[0.0f32, 4.0]);
        let parameter = Parameter::of("v".into(), &mut value, Pace { rate: 0.1, decay: 0.1 }).unwrap();
        let mut optimiser = AdamW { parameters: vec![parameter], steps: 0 };
        // The loss is 2, the root's gradient at 0 infinite.
        let loss = value.sqrt().sum(Kind::Float);
        assert_eq!(f64::try_from(&loss).unwrap(), 2.0);
        loss.backward();
        assert!(!optimiser.step(1.0, 1.0).unwrap().is_finite());
        let Parameter { value, mean, .. } = &optimiser.parameters[0];
        assert_eq!(Vec::<f32>::try_from(value.detach()).unwrap(), [0.0, 4.0]);
        assert_eq!((Vec::<f32>::try_from(mean).unwrap(), optimiser.steps), (vec![0.0, 0.0], 0));
    }
}
