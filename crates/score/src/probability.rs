//! From a logit to what a user sees, in f64.

/// σ(logit), the paper's matching probability.
pub fn probability(logit: f64) -> f64 {
    // Each branch exponentiates a negative number only, so neither overflows.
    if logit >= 0.0 { 1.0 / (1.0 + (-logit).exp()) } else { logit.exp() / (1.0 + logit.exp()) }
}

/// −ln σ(logit): at least 0, and strictly falling in the logit where the probability itself prints 1 — up to a
/// logit of about 744, where e^−744 is the smallest double.
pub fn distance(logit: f64) -> f64 {
    if logit >= 0.0 { (-logit).exp().ln_1p() } else { logit.exp().ln_1p() - logit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_orders_logits_whose_probability_is_one() {
        let logits: Vec<f64> = (-8000..7000).map(|i| f64::from(i) / 10.0).collect();
        for pair in logits.windows(2) {
            assert!(distance(pair[0]) > distance(pair[1]), "{pair:?}");
        }
        assert_eq!(probability(40.0), 1.0);
        assert!(distance(40.0) > distance(41.0) && distance(41.0) > 0.0);
    }

    #[test]
    fn distance_is_minus_the_logarithm_of_the_probability() {
        for logit in [-30.0, -3.0, -0.1, 0.0, 0.1, 3.0, 20.0] {
            assert!((distance(logit) + probability(logit).ln()).abs() < 1e-8);
        }
        assert_eq!(probability(-1e9), 0.0);
        assert_eq!(distance(-1e9), 1e9);
    }
}
