//! CIE L*a*b* under the light of print (D50) to sRGB.

/// From light as XYZ under D50 to linear sRGB under D65: Bradford's adaptation and sRGB's primaries in one.
const FROM_XYZ: [[f32; 3]; 3] =
    [[3.134_136, -1.617_386, -0.490_662], [-0.978_795, 1.916_254, 0.033_443], [0.071_955, -0.228_977, 1.405_386]];

/// D50.
const WHITE: [f32; 3] = [0.964_22, 1.0, 0.825_21];

/// `lightness` is from 0 to 1.
pub(crate) fn to_rgb(lightness: f32, a: f32, b: f32) -> [u8; 3] {
    let y = (lightness * 100.0 + 16.0) / 116.0;
    let xyz = [y + a / 500.0, y, y - b / 200.0].map(|f| {
        let cube = f * f * f;
        if cube > 216.0 / 24_389.0 { cube } else { (116.0 * f - 16.0) * 27.0 / 24_389.0 }
    });
    let xyz = [0, 1, 2].map(|at| xyz[at] * WHITE[at]);
    FROM_XYZ.map(|row| {
        let light: f32 = row.iter().zip(xyz).map(|(weight, value)| weight * value).sum();
        let value = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        (value * 255.0).round().clamp(0.0, 255.0) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::to_rgb;

    #[test]
    fn white_grey_black_and_red_are_where_they_belong() {
        assert_eq!(to_rgb(1.0, 0.0, 0.0), [255; 3]);
        assert_eq!(to_rgb(0.0, 0.0, 0.0), [0; 3]);
        // L* of 53.585 is the middle of sRGB's range; sRGB's red is at (54.29, 80.81, 69.89).
        assert_eq!(to_rgb(0.535_85, 0.0, 0.0), [128; 3]);
        let [r, g, b] = to_rgb(0.5429, 80.81, 69.89);
        assert!(r >= 254 && g <= 2 && b <= 2, "{r} {g} {b}");
    }
}
