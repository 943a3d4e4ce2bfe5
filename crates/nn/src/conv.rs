//! A convolution: batch norm folded in, activation applied in place. For inference, and for training as it is.

use grnet_backbone::Folded;
use grnet_features::model_file::NamedTensor;
use tch::{Device, Kind, Tensor};

use crate::error::NnError;
use crate::weights::{Weights, named};

/// What follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing (the projection of an inverted residual).
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

/// Rows and columns of zeros around the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The same number on every side.
    Even(i64),
    /// Zeros before, zeros after: TensorFlow's SAME under stride 2 is not symmetric.
    Sides(i64, i64),
}

/// Geometry of a convolution with square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Stride.
    pub stride: i64,
    /// Zeros around the input.
    pub padding: Padding,
    /// Whether every channel has a kernel of its own.
    pub depthwise: bool,
}

/// A convolution, its bias and its activation.
#[derive(Debug)]
pub struct Conv {
    /// Name of the convolution.
    name: String,
    /// Name and ε of the batch norm folded into it.
    norm: Option<(String, f64)>,
    weight: Tensor,
    bias: Tensor,
    shape: ConvShape,
    activation: Activation,
}

impl Conv {
    /// Reads the convolution `conv` and folds the batch norm `norm` into it.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn folded(
        weights: &Weights<'_, '_>,
        conv: &str,
        norm: &str,
        shape: ConvShape,
        activation: Activation,
    ) -> Result<Self, NnError> {
        let (weight, bias) = weights.folded(conv, norm, shape.weight())?;
        let norm = Some((norm.to_owned(), weights.eps()));
        Ok(Self { name: conv.to_owned(), norm, weight, bias, shape, activation })
    }

    /// Reads the convolution `conv` with its own bias.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn plain(
        weights: &Weights<'_, '_>,
        conv: &str,
        shape: ConvShape,
        activation: Activation,
    ) -> Result<Self, NnError> {
        let weight = weights.tensor(&format!("{conv}.weight"), &shape.weight())?;
        let bias = weights.tensor(&format!("{conv}.bias"), &[shape.output])?;
        Ok(Self { name: conv.to_owned(), norm: None, weight, bias, shape, activation })
    }

    /// Moves the weights to a device and number type.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn move_to(&mut self, device: Device, kind: Kind) -> Result<(), NnError> {
        // Rounded once, after folding: folding in bf16 would round twice.
        self.weight = self.weight.f_to_device(device)?.f_to_kind(kind)?;
        self.bias = self.bias.f_to_device(device)?.f_to_kind(kind)?;
        Ok(())
    }

    /// Kernel and bias as numbers, for another way to compute it.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub(super) fn values(&self) -> Result<Folded, NnError> {
        let values = |value: &Tensor| Ok::<_, NnError>(Vec::try_from(value.f_contiguous()?.f_view([-1])?)?);
        Ok(Folded { weight: values(&self.weight)?, bias: values(&self.bias)? })
    }

    /// Kernel and bias with their names, to be replaced by variables that learn.
    pub fn learnable(&mut self) -> [(String, &mut Tensor); 2] {
        let name = |part: &str| format!("backbone.{}.{part}", self.name);
        [(name("weight"), &mut self.weight), (name("bias"), &mut self.bias)]
    }

    /// Kernel and bias as they are to be stored. Where a batch norm was folded in, one that changes nothing takes its
    /// place, so that a trained file has the names of the untrained one.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn tensors(&self) -> Result<Vec<NamedTensor>, NnError> {
        let conv = &self.name;
        let mut tensors = vec![named(&format!("backbone.{conv}.weight"), &self.weight)?];
        let Some((norm, eps)) = &self.norm else {
            tensors.push(named(&format!("backbone.{conv}.bias"), &self.bias)?);
            return Ok(tensors);
        };
        let ones = self.bias.f_ones_like()?;
        let gain = (&ones * (1.0 + eps)).f_sqrt()?;
        for (part, value) in
            [("weight", &gain), ("bias", &self.bias), ("running_mean", &ones.f_zeros_like()?), ("running_var", &ones)]
        {
            tensors.push(named(&format!("backbone.{norm}.{part}"), value)?);
        }
        Ok(tensors)
    }

    /// `[B, input, H, W]` to `[B, output, H', W']`, in the number type of `x`.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let groups = if self.shape.depthwise { self.shape.output as i64 } else { 1 };
        let stride = [self.shape.stride; 2];
        // Weights that learn stay in f32 whatever the map is in; of the same type this is the same tensor.
        let (weight, bias) = (self.weight.f_to_kind(x.kind())?, self.bias.f_to_kind(x.kind())?);
        let conv = |x: &Tensor, padding: i64| x.f_conv2d(&weight, Some(&bias), stride, [padding; 2], [1, 1], groups);
        let mut y = match self.shape.padding {
            Padding::Even(n) => conv(x, n)?,
            Padding::Sides(before, after) => conv(&x.f_constant_pad_nd([before, after, before, after])?, 0)?,
        };
        Ok(match self.activation {
            Activation::None => y,
            Activation::Relu => y.f_relu_()?,
            Activation::Relu6 => y.f_clamp_(0.0, 6.0)?,
        })
    }
}

impl ConvShape {
    /// Shape of the weight: `[output, input / groups, kernel, kernel]`.
    fn weight(self) -> [usize; 4] {
        [self.output, if self.depthwise { 1 } else { self.input }, self.kernel, self.kernel]
    }
}
