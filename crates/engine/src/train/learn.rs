//! The loop: batches, loss, steps, validation, the best kept.

use serde::Serialize;
use tch::nn::OptimizerConfig;
use tch::{Kind, Tensor, nn};

use super::arguments::TrainArgs;
use super::batch::Sampler;
use crate::evaluate::ranking::{Protocol, TopK};
use crate::maps::regions::Regions;
use crate::network::EngineError;
use crate::network::graph::TorchGraph;
use crate::progress::{self, Phase};

/// Photos of the validation, and their items.
#[derive(Debug)]
pub struct HeldOut {
    /// Query photos.
    pub queries: Vec<usize>,
    /// Items of the queries.
    pub asked: Vec<usize>,
    /// Gallery photos.
    pub gallery: Vec<usize>,
    /// Items of the gallery.
    pub shown: Vec<Option<usize>>,
}

/// One validation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Validation {
    /// Steps done.
    pub step: usize,
    /// Mean loss since the validation before.
    pub loss: f64,
    /// The model's own global vector.
    pub global: TopK,
    /// The graph over the first 100 of the global.
    pub graph: TopK,
}

impl Validation {
    /// What is kept best: the sum of the graph's top-1, top-5 and top-20.
    pub fn merit(&self) -> f64 {
        self.graph.top[..3].iter().sum()
    }
}

/// Photos that the graph reorders in a validation.
const SHORTLIST: usize = 100;

/// Weight of the cross-entropy of single pairs beside that along rows and columns. The former makes scores
/// probabilities, the latter orders.
const PAIR_WEIGHT: f64 = 0.5;

/// The loss of `[n, n]` logits whose diagonal is right: cross-entropy of 0/1 labels (each class half of the weight),
/// along rows and along columns.
fn loss(logits: &Tensor) -> Result<Tensor, EngineError> {
    let n = logits.size()[0];
    let labels = Tensor::f_eye(n, (Kind::Float, logits.device()))?;
    let weight = labels.f_mul_scalar(n as f64 - 2.0)?.f_add_scalar(1.0)?;
    let pairs =
        logits.f_binary_cross_entropy_with_logits(&labels, Some(&weight), None::<&Tensor>, tch::Reduction::Mean)?
            * (n as f64 / (2.0 * (n as f64 - 1.0)));
    let right = Tensor::f_arange(n, (Kind::Int64, logits.device()))?;
    let ranked = logits.f_cross_entropy_loss::<Tensor>(&right, None, tch::Reduction::Mean, -100, 0.0)?
        + logits.f_tr()?.f_cross_entropy_loss::<Tensor>(&right, None, tch::Reduction::Mean, -100, 0.0)?;
    Ok(pairs * PAIR_WEIGHT + ranked * 0.5)
}

/// Validates the graph as it is.
///
/// # Errors
/// What libtorch refuses.
pub fn validate(
    regions: &Regions<'_>,
    graph: &TorchGraph,
    held_out: &HeldOut,
    step: usize,
    loss: f64,
) -> Result<Validation, EngineError> {
    let protocol = tch::no_grad(|| {
        Ok::<_, EngineError>(Protocol {
            queries: regions.whole(&held_out.queries)?,
            gallery: regions.whole(&held_out.gallery)?,
            asked: held_out.asked.clone(),
            shown: held_out.shown.clone(),
        })
    })?;
    let (global, graph) = protocol.compare(graph, SHORTLIST)?;
    Ok(Validation { step, loss, global: global.top(), graph: graph.top() })
}

/// Trains in place and leaves the best state seen. Returns every validation, the first before any step.
///
/// # Errors
/// [`EngineError::Diverged`], and what libtorch refuses.
pub fn learn(
    args: &TrainArgs,
    regions: &mut Regions<'_>,
    graph: &mut TorchGraph,
    sampler: &mut Sampler,
    held_out: &HeldOut,
) -> Result<Vec<Validation>, EngineError> {
    let first = validate(regions, graph, held_out, 0, f64::NAN)?;
    let mut history = vec![first];
    let store = nn::VarStore::new(tch::Device::Cpu);
    // The cosine's weight starts where it belongs; the rest has to grow to its size: a group of its own.
    graph.learn_in(&store.root(), |name| usize::from(name.ends_with("readout.cosine")))?;
    if args.reduction_rate > 0.0 {
        for (name, weight) in [("weight", &mut regions.weight), ("bias", &mut regions.bias)] {
            *weight = (store.root() / "reduction").set_group(2).f_var_copy(name, weight)?;
        }
    }
    let mut optimiser = nn::AdamW { wd: 0.02, ..nn::AdamW::default() }.build(&store, args.rate)?;
    optimiser.set_weight_decay_group(1, 0.0);
    let mut learnable = store.trainable_variables();
    let mut best: Vec<Tensor> = learnable.iter().map(|w| w.detach().copy()).collect();
    let mut best_at = 0;
    let mut phase = progress::begin(args.steps as u64, "steps");
    report(&mut phase, &first);
    let mut sum = 0.0;
    for step in 1..=args.steps {
        let (warm, left) = (step as f64 / 20.0, (args.steps - step) as f64 / args.steps as f64);
        let rate = warm.min(1.0) * (0.05 + 0.95 * 0.5 * (1.0 + (std::f64::consts::PI * (1.0 - left)).cos()));
        optimiser.set_lr_group(0, args.rate * rate);
        optimiser.set_lr_group(1, 5.0 * args.rate * rate);
        if args.reduction_rate > 0.0 {
            optimiser.set_lr_group(2, args.reduction_rate * rate);
        }
        let (left, right) = sampler.draw();
        // Snapshots are cropped further half of the time; what the shop shows stays whole more often.
        let mut views = |chance: f32| {
            let mut one = || {
                let numbers = sampler.numbers();
                if numbers.unit() < 2.0 * chance - 1.0 { regions.random(numbers) } else { regions.all() }
            };
            (0..left.len()).map(|_| one()).collect::<Vec<_>>()
        };
        let (left_views, right_views) = (views(0.5), views(0.25));
        let x = regions.parts(&left, &left_views)?;
        let y = regions.parts(&right, &right_views)?;
        let loss = loss(&graph.logits(&x, &y)?)?;
        let value = finite(step, f64::try_from(&loss)?)?;
        optimiser.zero_grad();
        loss.f_backward()?;
        optimiser.clip_grad_norm(1.0);
        optimiser.step();
        sum += value;
        phase.loss(value);
        phase.inc(1);
        if step.is_multiple_of(args.every) || step == args.steps {
            let since = history.last().map_or(0, |v: &Validation| v.step);
            let done = validate(regions, graph, held_out, step, sum / (step - since) as f64)?;
            report(&mut phase, &done);
            sum = 0.0;
            history.push(done);
            let at = history.len() - 1;
            if done.merit() > history[best_at].merit() {
                best = learnable.iter().map(|w| w.detach().copy()).collect();
                best_at = at;
            } else if at - best_at >= args.patience {
                break;
            }
        }
    }
    drop(phase);
    tch::no_grad(|| learnable.iter_mut().zip(&best).for_each(|(weight, value)| weight.copy_(value)));
    Ok(history)
}

/// A loss that is a number. Behind one that is none every weight is lost, and so is what the validations would say.
fn finite(step: usize, loss: f64) -> Result<f64, EngineError> {
    if loss.is_finite() { Ok(loss) } else { Err(EngineError::Diverged { step, loss }) }
}

fn report(phase: &mut Phase, done: &Validation) {
    let heads = format!("{:>6} {:>8}   global 1/5/20/50          graph 1/5/20/50\n", "step", "loss");
    let line = format!("{:>6} {:>8.4}  {}   {}", done.step, done.loss, done.global, done.graph);
    let line = if done.step == 0 { heads + &line } else { line };
    phase.validated(&line, done.global.top, done.graph.top);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_ends_the_training_with_step_and_value() {
        assert_eq!(finite(3, 0.5).unwrap(), 0.5);
        for loss in [f64::NAN, f64::INFINITY] {
            let error = finite(7, loss).unwrap_err().to_string();
            assert!(error.contains("step 7") && error.contains(&loss.to_string()), "{error}");
        }
    }
}
