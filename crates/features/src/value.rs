//! The feature value, version 1: one image's regions, with what is needed to refuse the wrong partner.
//!
//! Little-endian, after the varlena header:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | version: 1 |
//! | 1 | number type: 0 f32, 1 f16, 2 i8 with one f32 scale a region ahead of the regions |
//! | 1 + 1 | number of scales (1 to 4), flags (0) |
//! | 4 | grids: the side of each scale's grid, 0 where unused |
//! | 2 + 2 | channels C, reserved (0) |
//! | 8 | model id |
//! | 16 | image digest |
//! | rest | regions, scale by scale, row by row, C values each |

use half::f16;
use half::slice::HalfFloatSliceExt;
use sha2::{Digest, Sha256};

pub use crate::dtype::Dtype;
use crate::error::FeatureError;
use crate::model_file::ModelId;
use crate::pyramid;

/// Bytes of the header.
pub const HEADER: usize = 36;
/// The version written and read.
pub const VERSION: u8 = 1;
/// How the text form starts.
pub const TEXT_PREFIX: &str = "grnet1:";

/// First 16 bytes of SHA-256 over the length of the image, its bytes, and the box: says 'the same image'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ImageDigest(pub [u8; 16]);

impl ImageDigest {
    /// The digest of an image's bytes and the box (left, top, width, height in pixels) cut from it, if any.
    pub fn of(image: &[u8], region: Option<[f64; 4]>) -> Self {
        let mut hasher = Sha256::new();
        // The length first: bytes of a box cannot pass for bytes of an image.
        hasher.update((image.len() as u64).to_le_bytes());
        hasher.update(image);
        for side in region.iter().flatten() {
            hasher.update(side.to_le_bytes());
        }
        let digest = hasher.finalize();
        let mut out = [0; 16];
        out.copy_from_slice(&digest[..16]);
        Self(out)
    }
}

/// The model that a value's header names; `None` where the bytes are no header of a version that is read.
pub fn model_in(header: &[u8]) -> Option<ModelId> {
    let id = header.get(12..20).filter(|_| header.len() >= HEADER && header[0] == VERSION)?;
    id.try_into().ok().map(ModelId)
}

/// A feature value, checked, borrowing its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    bytes: &'a [u8],
    dtype: Dtype,
    regions: usize,
}

impl<'a> Features<'a> {
    /// Checks header against length. Values are not looked at: what was stored was checked on its way in.
    ///
    /// # Errors
    /// [`FeatureError`] naming the field and the figures.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FeatureError> {
        if bytes.len() < HEADER {
            return Err(FeatureError::TooShort { got: bytes.len(), header: HEADER });
        }
        if bytes[0] != VERSION {
            return Err(FeatureError::Version(bytes[0]));
        }
        let dtype = match bytes[1] {
            0 => Dtype::F32,
            1 => Dtype::F16,
            2 => Dtype::I8,
            other => return Err(FeatureError::Dtype(other)),
        };
        let scales = usize::from(bytes[2]);
        let grids = &bytes[4..8];
        if !(1..=4).contains(&scales) {
            return Err(FeatureError::Header("the number of scales is not 1 to 4"));
        }
        if bytes[3] != 0 || bytes[10] != 0 || bytes[11] != 0 {
            return Err(FeatureError::Header("flags or reserved bytes are set"));
        }
        let (used, unused) = grids.split_at(scales);
        if used[0] != 1 || used.iter().any(|&g| !(1..=8).contains(&g)) || used.windows(2).any(|w| w[0] >= w[1]) {
            return Err(FeatureError::Header("the grids are not ascending from 1 to at most 8"));
        }
        if unused.iter().any(|&g| g != 0) {
            return Err(FeatureError::Header("an unused scale has a grid"));
        }
        let channels = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        if !(1..=4096).contains(&channels) {
            return Err(FeatureError::Header("the number of channels is not 1 to 4096"));
        }
        let regions = pyramid::regions(used);
        let expected = HEADER + dtype.bytes(regions, channels);
        if bytes.len() != expected {
            return Err(FeatureError::Length { got: bytes.len(), expected });
        }
        Ok(Self { bytes, dtype, regions })
    }

    /// [`parse`](Self::parse), and every value finite: for bytes from outside.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`FeatureError::NotFinite`].
    pub fn parse_untrusted(bytes: &'a [u8]) -> Result<Self, FeatureError> {
        let features = Self::parse(bytes)?;
        let mut row = vec![0.0; features.channels()];
        for region in 0..features.regions {
            features.read_region(region, &mut row);
            if row.iter().any(|v| !v.is_finite()) {
                return Err(FeatureError::NotFinite { region });
            }
        }
        Ok(features)
    }

    /// The value's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How the values are stored.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The sides of the grids.
    pub fn grids(&self) -> &'a [u8] {
        &self.bytes[4..4 + usize::from(self.bytes[2])]
    }

    /// C.
    pub fn channels(&self) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[8], self.bytes[9]]))
    }

    /// M, the number of regions.
    pub fn regions(&self) -> usize {
        self.regions
    }

    /// The model that made the value.
    pub fn model(&self) -> ModelId {
        let mut id = [0; 8];
        id.copy_from_slice(&self.bytes[12..20]);
        ModelId(id)
    }

    /// The image the value was made from.
    pub fn digest(&self) -> ImageDigest {
        let mut digest = [0; 16];
        digest.copy_from_slice(&self.bytes[20..36]);
        ImageDigest(digest)
    }

    /// The stored values of a region, little-endian, without the scale.
    ///
    /// # Panics
    /// If `region` is not below [`regions`](Self::regions).
    pub fn region_bytes(&self, region: usize) -> &'a [u8] {
        assert!(region < self.regions, "region {region} of {}", self.regions);
        let size = match self.dtype {
            Dtype::F32 => 4,
            Dtype::F16 => 2,
            Dtype::I8 => 1,
        };
        let scales = if self.dtype == Dtype::I8 { self.regions * 4 } else { 0 };
        let row = self.channels() * size;
        &self.bytes[HEADER + scales + region * row..][..row]
    }

    /// What the stored values of a region are multiplied with: 1 unless they are i8.
    ///
    /// # Panics
    /// If `region` is not below [`regions`](Self::regions).
    pub fn region_scale(&self, region: usize) -> f32 {
        assert!(region < self.regions, "region {region} of {}", self.regions);
        if self.dtype != Dtype::I8 {
            return 1.0;
        }
        let at = HEADER + region * 4;
        f32::from_le_bytes([self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3]])
    }

    /// Writes region `region` into `out`, which has [`channels`](Self::channels) places.
    ///
    /// # Panics
    /// If `region` is not below [`regions`](Self::regions) or `out` has another length.
    pub fn read_region(&self, region: usize, out: &mut [f32]) {
        assert!(out.len() == self.channels(), "{} places for {} channels", out.len(), self.channels());
        self.read_values(region, 0, out);
    }

    /// Writes values of region `region` into `out`, from value `first` on.
    ///
    /// # Panics
    /// If the region has fewer values.
    pub fn read_values(&self, region: usize, first: usize, out: &mut [f32]) {
        let values = self.region_bytes(region);
        match self.dtype {
            Dtype::F32 => {
                for (o, b) in out.iter_mut().zip(values[first * 4..].as_chunks().0) {
                    *o = f32::from_le_bytes(*b);
                }
            }
            Dtype::F16 => {
                // The bytes may lie at an odd address; a copy of 256 values stays on the stack's cache lines, and `half`
                // then converts eight values an instruction where the processor can.
                let mut halves = [f16::ZERO; 256];
                for (out, bytes) in out.chunks_mut(256).zip(values[first * 2..].chunks(512)) {
                    let halves = &mut halves[..out.len()];
                    for (h, b) in halves.iter_mut().zip(bytes.as_chunks().0) {
                        *h = f16::from_le_bytes(*b);
                    }
                    halves.convert_to_f32_slice(out);
                }
            }
            Dtype::I8 => {
                let scale = self.region_scale(region);
                for (o, b) in out.iter_mut().zip(&values[first..]) {
                    *o = f32::from(*b as i8) * scale;
                }
            }
        }
    }

    /// All regions as f32, row-major `[M, C]`.
    pub fn to_f32(&self) -> Vec<f32> {
        let c = self.channels();
        let mut out = vec![0.0; self.regions * c];
        for (region, row) in out.chunks_exact_mut(c).enumerate() {
            self.read_region(region, row);
        }
        out
    }

    /// The value with its numbers stored as `dtype`; the same bytes where they are already.
    ///
    /// # Errors
    /// A number is beyond half precision.
    pub fn stored_as(&self, dtype: Dtype) -> Result<Vec<u8>, FeatureError> {
        if dtype == self.dtype {
            return Ok(self.bytes.to_vec());
        }
        encode(self.model(), self.digest(), self.grids(), self.channels(), dtype, &self.to_f32())
    }

    /// Region 0, divided by its Euclidean norm (zeros stay zeros).
    pub fn global(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.channels()];
        self.read_region(0, &mut out);
        normalise(&mut out);
        out
    }
}

/// Divides `v` by `sqrt(‖v‖² + 1e-12)`, so that zeros stay zeros.
pub fn normalise(v: &mut [f32]) {
    let norm = (v.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() + 1e-12).sqrt();
    v.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
}

/// Makes a feature value from `regions`, row-major `[M, C]`.
///
/// # Errors
/// The number of values does not fit `grids` and `channels`, a value is not finite, or beyond half precision.
pub fn encode(
    model: ModelId,
    digest: ImageDigest,
    grids: &[u8],
    channels: usize,
    dtype: Dtype,
    values: &[f32],
) -> Result<Vec<u8>, FeatureError> {
    let regions = pyramid::regions(grids);
    if values.len() != regions * channels || grids.len() > 4 {
        return Err(FeatureError::Count { got: values.len(), regions, channels });
    }
    let channels_u16 =
        u16::try_from(channels).map_err(|_| FeatureError::Header("the number of channels is not 1 to 4096"))?;
    let mut out = Vec::with_capacity(HEADER + dtype.bytes(regions, channels));
    out.extend([VERSION, dtype as u8, grids.len() as u8, 0]);
    let mut padded = [0; 4];
    padded[..grids.len()].copy_from_slice(grids);
    out.extend(padded);
    out.extend(channels_u16.to_le_bytes());
    out.extend([0, 0]);
    out.extend(model.0);
    out.extend(digest.0);
    if dtype == Dtype::I8 {
        for region in values.chunks_exact(channels) {
            out.extend(i8_scale(region).to_le_bytes());
        }
    }
    for (number, region) in values.chunks_exact(channels).enumerate() {
        if region.iter().any(|v| !v.is_finite()) {
            return Err(FeatureError::NotFinite { region: number });
        }
        match dtype {
            Dtype::F32 => out.extend(region.iter().flat_map(|v| v.to_le_bytes())),
            Dtype::F16 => {
                for &value in region {
                    let half = f16::from_f32(value);
                    if half.is_infinite() {
                        return Err(FeatureError::Range { value, region: number });
                    }
                    out.extend(half.to_le_bytes());
                }
            }
            Dtype::I8 => {
                let scale = i8_scale(region);
                out.extend(region.iter().map(|v| (v / scale).round().clamp(-127.0, 127.0) as i8 as u8));
            }
        }
    }
    Features::parse(&out)?;
    Ok(out)
}

/// The step of a region's i8 values: its largest magnitude is 127 steps. 1 for a region of zeros.
fn i8_scale(region: &[f32]) -> f32 {
    let largest = region.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    match largest / 127.0 {
        0.0 => 1.0,
        // Rounded up, 127 steps would lie beyond the largest f32.
        step if (step * 127.0).is_infinite() => step.next_down(),
        step => step,
    }
}

/// The text form: [`TEXT_PREFIX`] and base64 of the value's bytes.
pub fn to_text(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let mut out = TEXT_PREFIX.to_owned();
    base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut out);
    out
}

/// A value's bytes from its text form, checked as [`Features::parse_untrusted`] does.
///
/// # Errors
/// The prefix or the base64 is wrong, or the bytes are no feature value.
pub fn from_text(text: &str) -> Result<Vec<u8>, FeatureError> {
    use base64::Engine as _;
    let encoded = text.trim().strip_prefix(TEXT_PREFIX).ok_or(FeatureError::Text("the prefix is missing"))?;
    // Base64 comes in lines of 76 letters from many hands, encode(…, 'base64') among them.
    let lines: String = encoded.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(lines)
        .map_err(|_| FeatureError::Text("the base64 is not valid"))?;
    Features::parse_untrusted(&bytes)?;
    Ok(bytes)
}
