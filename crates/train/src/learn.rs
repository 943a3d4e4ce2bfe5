//! The loop: batches, loss, steps, validation, the best kept.

use std::path::Path;

use grnet_data::output::atomic_file::OutputFile;
use grnet_data::output::progress;
use grnet_data::output::progress::Phase;
use grnet_nn::maps::chosen::Chosen;
use grnet_nn::pool::normalise;
use tch::Tensor;

use crate::arguments::TrainArgs;
use crate::batch::Sampler;
use crate::damaged::Damaged;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::loader::{Loader, Workshop};
use crate::optimiser::AdamW;
use crate::validate::{HeldOut, Validation, header, validate};
use crate::{checkpoint, curve, loss};

/// Steps in which the rates grow to their peak.
const WARM_UP: f64 = 30.0;
/// Share of the peak that is left at the end.
const LAST: f64 = 0.03;
/// Most that the gradients of a step measure together.
const LONGEST: f64 = 1.0;

/// What a training works with.
#[derive(Debug)]
pub struct TrainContext<'a> {
    /// The options.
    pub args: &'a TrainArgs,
    /// Maps of images as they are.
    pub maps: &'a Chosen,
    /// Makes augmented images of them.
    pub workshop: &'a Workshop<'a>,
    /// What is validated with.
    pub held_out: &'a HeldOut,
    /// What the training is made of, in one word.
    pub training: &'a str,
    /// Where it is kept.
    pub checkpoint: &'a Path,
}

/// Trains in place and leaves the best state seen. Returns every validation, the first before any step.
///
/// # Errors
/// [`TrainError::Diverged`], more than one image in ten that cannot be read, and what libtorch refuses.
pub fn learn(
    context: &TrainContext<'_>,
    learner: &mut Learner,
    optimiser: &mut AdamW,
    sampler: &mut Sampler,
    damaged: &mut Damaged,
) -> Result<Vec<Validation>, TrainError> {
    let TrainContext { args, maps, held_out, .. } = context;
    let mut phase = progress::begin(args.steps as u64, "steps");
    let kept = |optimiser: &AdamW| optimiser.parameters.iter().map(|p| p.value.detach().copy()).collect::<Vec<_>>();
    let (mut best, mut history) = match checkpoint::read(context.checkpoint, context.training, optimiser)? {
        Some((best, history, known)) => {
            damaged.remember(&known);
            (best, history)
        }
        None => (kept(optimiser), vec![validate(learner, maps, held_out, 0, None)?]),
    };
    history.iter().enumerate().for_each(|(at, done)| tell(&mut phase, done, at == 0));
    phase.inc(history.last().map_or(0, |v| v.step) as u64);
    // A place that cannot be written is known before the first step.
    draw(args, &history)?;
    loop {
        let step = history.last().map_or(0, |v| v.step);
        if step >= args.steps || history.len() - 1 - first_best(&history) >= args.patience {
            break;
        }
        let until = (step / args.every * args.every + args.every).min(args.steps);
        let loss = round(context, learner, optimiser, sampler, damaged, step + 1..=until, &mut phase)?;
        let done = validate(learner, maps, held_out, until, Some(loss))?;
        tell(&mut phase, &done, false);
        history.push(done);
        if kept_of(&history) == history.len() - 1 {
            best = kept(optimiser);
        }
        let known: Vec<usize> = damaged.known().collect();
        checkpoint::write(context.checkpoint, context.training, optimiser, &best, &history, &known)?;
        draw(args, &history)?;
    }
    tch::no_grad(|| optimiser.parameters.iter_mut().zip(&best).for_each(|(p, value)| p.value.copy_(value)));
    Ok(history)
}

/// Draws the curve where one is wanted.
fn draw(args: &TrainArgs, history: &[Validation]) -> Result<(), TrainError> {
    match &args.curve {
        Some(path) => Ok(OutputFile::create(path)?.put(curve::svg(history, kept_of(history)).as_bytes())?),
        None => Ok(()),
    }
}

/// Place of the best validation, the first of equals.
pub fn first_best(history: &[Validation]) -> usize {
    (0..history.len()).reduce(|a, b| if history[b].merit() > history[a].merit() { b } else { a }).unwrap_or(0)
}

/// Place of the validation whose weights are kept: the last that is better than the start and within one standard error
/// of the best. Which of such is best is chance, and the later one was reached at smaller rates: of a run of 480 steps
/// the state of step 180 was best by 0.7 points of merit, with an error of 2.8.
pub fn kept_of(history: &[Validation]) -> usize {
    let best = &history[first_best(history)];
    let top = best.graph.top[0];
    let error = (top * (1.0 - top) / best.graph.queries.max(1) as f64).sqrt();
    let good = |v: &Validation| v.merit() >= best.merit() - error && v.merit() > history[0].merit();
    history.iter().rposition(good).unwrap_or(0)
}

/// The steps between two validations; gives their mean loss. What looks alike is found anew before them.
fn round(
    context: &TrainContext<'_>,
    learner: &Learner,
    optimiser: &mut AdamW,
    sampler: &mut Sampler,
    damaged: &mut Damaged,
    steps: std::ops::RangeInclusive<usize>,
    phase: &mut Phase,
) -> Result<f64, TrainError> {
    let TrainContext { args, maps, .. } = context;
    let device = learner.graph.device();
    sampler.mine(*steps.start(), |faces| {
        let faces = learner.regions_of(faces, |images| maps.maps(images, device))?;
        Ok(normalise(&faces.f_select(1, 0)?)?)
    })?;
    let sampler = &*sampler;
    let count = steps.clone().count();
    std::thread::scope(|scope| {
        let mut loader = Loader::start(scope, context.workshop, steps.clone(), sampler, args.loaders());
        let mut sum = 0.0;
        for step in steps {
            let made = loader.next().ok_or(TrainError::LoaderEnded)??;
            if let Some(news) = damaged.count(&made.opened, context.workshop.images)? {
                phase.say(&news);
            }
            let loss = losses(args, learner, &made.maps)?;
            let value = finite("the loss", step, f64::try_from(&loss)?)?;
            loss.f_backward()?;
            let (warm, left) = (step as f64 / WARM_UP, (args.steps - step) as f64 / args.steps as f64);
            let curve = LAST + (1.0 - LAST) * 0.5 * (1.0 + (std::f64::consts::PI * (1.0 - left)).cos());
            finite("the length of the gradients", step, optimiser.step(warm.min(1.0) * curve, LONGEST)?)?;
            sum += value;
            phase.loss(value);
            phase.inc(1);
        }
        Ok(sum / count as f64)
    })
}

/// The loss of a batch's maps, consumers' first.
fn losses(args: &TrainArgs, learner: &Learner, maps: &Tensor) -> Result<Tensor, TrainError> {
    let half = maps.size()[0] / 2;
    let regions = learner.regions(maps)?;
    let (x, y) = (regions.f_narrow(0, 0, half)?, regions.f_narrow(0, half, half)?);
    let global = loss::global(&x.f_select(1, 0)?, &y.f_select(1, 0)?)?;
    let loss = loss::graph(&learner.graph.logits(&x, &y)?)?.f_add(&global)?;
    let regions = regions.size()[1] - 1;
    if args.local == 0.0 || regions == 0 {
        return Ok(loss);
    }
    let local = |v: &Tensor| v.f_narrow(1, 1, regions);
    Ok(loss.f_add(&loss::local(&local(&x)?, &local(&y)?)?.f_mul_scalar(args.local)?)?)
}

/// A loss or length that is a number. Behind one that is none every weight is lost, and so is what the validations
/// would say.
fn finite(what: &'static str, step: usize, value: f64) -> Result<f64, TrainError> {
    if value.is_finite() { Ok(value) } else { Err(TrainError::Diverged { what, step, value }) }
}

fn tell(phase: &mut Phase, done: &Validation, first: bool) {
    let line = if first { header() + "\n" + &done.line() } else { done.line() };
    phase.validated(&line, done.global.top, done.graph.top);
}

#[cfg(test)]
mod tests {
    use grnet_nn::ranking::protocol::TopK;

    use super::*;

    #[test]
    fn the_last_of_the_good_is_kept_and_the_start_where_none_is_better() {
        let of = |tops: &[f64]| {
            let top = |top: f64| TopK { queries: 100, top: [top, 0.9, 0.95, 1.0] };
            let one = |(step, &graph)| Validation { step, loss: None, global: top(0.5), graph: top(graph) };
            let history: Vec<Validation> = tops.iter().enumerate().map(one).collect();
            (first_best(&history), kept_of(&history))
        };
        // One standard error of .5 in 100 queries is .05.
        assert_eq!(of(&[0.3, 0.5, 0.47, 0.4]), (1, 2));
        assert_eq!(of(&[0.48, 0.5, 0.47, 0.4]), (1, 1));
        assert_eq!(of(&[0.5, 0.5, 0.49]), (0, 0));
        assert_eq!(of(&[0.5]), (0, 0));
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_training_with_step_and_value() {
        assert_eq!(finite("the loss", 3, 0.5).unwrap(), 0.5);
        for loss in [f64::NAN, f64::INFINITY] {
            let error = finite("the loss", 7, loss).unwrap_err().to_string();
            assert!(error.contains("step 7") && error.contains(&loss.to_string()), "{error}");
        }
    }
}
