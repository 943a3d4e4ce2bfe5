//! How long a shortlist should be: what the graph finds on it, and what it costs.

use grnet_nn::ranking::protocol::{Ranks, right};
use grnet_nn::ranking::rerank::{Reranked, rank};
use grnet_score::head::Head;
use grnet_score::scorer::{PreparedFeatures, Scorer, Workspace};
use rustix::time::{ClockId, clock_gettime};
use tch::Tensor;

use crate::error::EvalError;
use crate::report::Shortlist;

/// Lengths that are looked at.
const LENGTHS: [usize; 6] = [20, 50, 100, 200, 500, 1000];

/// Pairs that are scored for one measurement of time, at most: half a second at 0.25 ms.
const PAIRS: usize = 2000;

/// Measurements of which the middle one counts.
const TIMES: usize = 3;

/// The graph on shortlists of several lengths, the last the longest that was scored.
pub fn shortlists(
    both: &[Reranked],
    asked: &[usize],
    shown: &[Option<usize>],
    clock: Option<&Clock>,
) -> Vec<Shortlist> {
    let most = both.first().map_or(0, |query| query.second.len());
    let lengths = LENGTHS.into_iter().filter(|&n| n < most).chain([most]);
    let under = |n| Ranks(both.iter().zip(asked).map(|(q, &item)| rank(&q.keys(n), &right(shown, item))).collect());
    let first = under(0);
    lengths
        .map(|length| Shortlist {
            length,
            recall: first.recall(length),
            top: under(length).estimates(),
            milliseconds: clock.map(|clock| clock.milliseconds(length)),
        })
        .collect()
}

/// The scorer that PostgreSQL runs, and images prepared for it.
#[derive(Debug)]
pub struct Clock {
    scorer: Scorer,
    images: Vec<PreparedFeatures>,
}

impl Clock {
    /// Prepares images of a gallery's regions `[G, M, C]`, as many as one measurement takes.
    ///
    /// # Errors
    /// What libtorch refuses, and a kernel that is not here.
    pub fn new(head: Head, gallery: &Tensor) -> Result<Self, EvalError> {
        let scorer = Scorer::new(head)?;
        let images = (0..gallery.size()[0].min(PAIRS as i64)).map(|g| {
            let regions = gallery.f_select(0, g)?.f_contiguous()?.f_view([-1])?;
            Ok(scorer.prepare_values(Vec::<f32>::try_from(regions)?))
        });
        let images = images.collect::<Result<_, EvalError>>()?;
        Ok(Self { scorer, images })
    }

    /// Milliseconds of one core to score `length` images for one query. It is this thread's time on the processor, so a
    /// busy machine says nearly the same as an idle one; it is proportional to pairs, so that of 2,000 stands for more.
    pub fn milliseconds(&self, length: usize) -> f64 {
        let pairs = length.min(PAIRS);
        let mut workspace = Workspace::default();
        let mut times = [0.0; TIMES];
        for (start, time) in times.iter_mut().enumerate() {
            let query = self.scorer.query(&self.images[start % self.images.len()]);
            let begin = processor_time();
            for image in self.images.iter().cycle().take(pairs) {
                std::hint::black_box(query.logit(image, &mut workspace));
            }
            *time = (processor_time() - begin) * 1e3 * length as f64 / pairs as f64;
        }
        times.sort_by(f64::total_cmp);
        times[TIMES / 2]
    }
}

/// Seconds that this thread has spent on a processor.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use grnet_nn::ranking::rerank::order;

    use super::*;

    #[test]
    fn a_longer_shortlist_reaches_further_and_the_last_is_everything() {
        // 60 images; the right one is the 31st of the first stage and the best of the second.
        let first: Vec<f32> = (0..60).map(|i| -(i as f32)).collect();
        let order = order(&first, 100);
        let second = order.iter().map(|&i| if i == 30 { 5.0 } else { 0.0 }).collect();
        let both = [Reranked { first, order, second }];
        let shown: Vec<Option<usize>> = (0..60).map(|i| (i == 30).then_some(7)).collect();
        let got = shortlists(&both, &[7], &shown, None);
        assert_eq!(got.iter().map(|s| s.length).collect::<Vec<_>>(), [20, 50, 60]);
        assert_eq!(got.iter().map(|s| s.recall).collect::<Vec<_>>(), [0.0, 1.0, 1.0]);
        assert_eq!(got.iter().map(|s| s.top[0].value).collect::<Vec<_>>(), [0.0, 1.0, 1.0]);
        // Out of the shortlist's reach it stays where the first stage had it.
        assert_eq!(got[0].top.map(|k| k.value), [0.0, 0.0, 0.0, 1.0]);
        assert!(got.iter().all(|s| s.milliseconds.is_none()));
    }
}
