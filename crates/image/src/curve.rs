//! The curve from a number to light, as a colour profile has it.

use moxcms::ToneReprCurve;

/// Largest difference of light at which a curve still is sRGB's: less than one step of 255 from a tenth of the range on.
const NEAR: f64 = 0.002;

/// Whether a curve is sRGB's, as a formula or as a table.
pub(crate) fn is_srgb(curve: &ToneReprCurve) -> bool {
    (0..=32).all(|step| {
        let x = f64::from(step) / 32.0;
        light(curve, x).is_some_and(|got| (got - srgb(x)).abs() < NEAR)
    })
}

/// From a number of sRGB to light.
fn srgb(x: f64) -> f64 {
    if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
}

fn light(curve: &ToneReprCurve, x: f64) -> Option<f64> {
    match curve {
        ToneReprCurve::Lut(table) => match table[..] {
            [] => Some(x),
            // One number is an exponent in 256ths.
            [exponent] => Some(x.powf(f64::from(exponent) / 256.0)),
            _ => {
                let at = x * (table.len() - 1) as f64;
                let value = |index: usize| table.get(index).map(|&value| f64::from(value) / 65_535.0);
                let below = value(at as usize)?;
                let above = value((at as usize + 1).min(table.len() - 1))?;
                Some(below + (above - below) * at.fract())
            }
        },
        ToneReprCurve::Parametric(numbers) => {
            let numbers: Vec<f64> = numbers.iter().map(|&number| f64::from(number)).collect();
            // The formulas of the ICC specification: a power, with an offset, and straight below a limit.
            match numbers[..] {
                [g] => Some(x.powf(g)),
                [g, a, b] => Some(if a * x + b >= 0.0 { (a * x + b).powf(g) } else { 0.0 }),
                [g, a, b, c] => Some(if a * x + b >= 0.0 { (a * x + b).powf(g) + c } else { c }),
                [g, a, b, c, d] => Some(if x >= d { (a * x + b).powf(g) } else { c * x }),
                [g, a, b, c, d, e, f] => Some(if x >= d { (a * x + b).powf(g) + e } else { c * x + f }),
                _ => None,
            }
        }
    }
}
