//! How figures and their colours are written on the page.

use grnet_score::metrics::Estimate;

use crate::report::Method;

/// A share in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A difference in points, with its sign.
pub fn signed(difference: f64) -> String {
    let text = format!("{:+.1}", difference * 100.0);
    // Nothing has no sign, and a minus is as wide as a plus.
    if text.ends_with("0.0") && text.len() == 4 { "0.0".to_owned() } else { text.replace('-', "−") }
}

/// An interval's ends.
pub fn interval(estimate: &Estimate, write: impl Fn(f64) -> String) -> String {
    format!("{} to {}", write(estimate.low), write(estimate.high))
}

/// A difference with its interval, in a sentence.
pub fn points(estimate: &Estimate) -> String {
    format!("{} ({})", signed(estimate.value), interval(estimate, signed))
}

/// Colours that are apart for colour-blind eyes too (Okabe and Ito); the page's style has them for light and dark.
const COLOURS: usize = 7;

/// The colour of a ranking, as a style that sets the current colour. A model alone has a colour for each method; of
/// several models each has its own, which its graph and its other rankings share.
pub fn ink(method: Method, model: usize, several: bool) -> String {
    let number = match method {
        Method::Backbone | Method::Gem | Method::Rmac if several => return "color:var(--grey)".to_owned(),
        Method::Backbone => return "color:var(--grey)".to_owned(),
        _ if several => model % COLOURS,
        Method::Graph => 0,
        Method::Global => 1,
        Method::PyramidMean => 2,
        Method::MaxSim => 3,
        Method::Attention => 4,
        Method::Gem => 5,
        Method::Rmac => 6,
    };
    format!("color:var(--c{number})")
}

/// The dashes of a ranking's line: none for a graph.
pub fn dashes(method: Method) -> &'static str {
    match method {
        Method::Graph => "none",
        Method::Global | Method::Backbone => "6 4",
        _ => "2 3",
    }
}
