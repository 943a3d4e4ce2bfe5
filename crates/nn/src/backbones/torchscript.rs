//! A TorchScript module as backbone, from the model file's bytes.
//!
//! TorchScript is a program: whoever can register such a model can make the engine run any operation of libtorch,
//! writing files included. That is why registering one takes a superuser.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use grnet_features::error::ModelError;
use grnet_features::model_file::ModelFile;
use tch::{CModule, Device, Tensor};

use crate::backbone::Backbone;
use crate::conv::Conv;
use crate::device::Precision;
use crate::error::NnError;

/// The tensor (u8) that holds the module.
pub const TENSOR: &str = "backbone.torchscript";

/// A loaded module, in evaluation mode.
#[derive(Debug)]
pub struct TorchScript {
    module: CModule,
}

impl TorchScript {
    /// Loads the module through memory: nothing touches the disk.
    ///
    /// # Errors
    /// The bytes are missing, or libtorch refuses them.
    pub fn read(file: &ModelFile<'_>, device: Device) -> Result<Self, NnError> {
        let bytes = file.bytes(TENSOR).ok_or_else(|| ModelError::Missing(TENSOR.to_owned()))?;
        let mut module = CModule::load_data_on_device(&mut Cursor::new(bytes), device)?;
        module.f_set_eval()?;
        Ok(Self { module })
    }
}

impl Backbone for TorchScript {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(self.module.forward_ts(&[x])?)
    }

    fn learnable(&mut self, _: usize) -> Vec<&mut Conv> {
        Vec::new()
    }

    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        // The one call here that panics instead of returning an error; tch has no other form of it.
        let moved = catch_unwind(AssertUnwindSafe(|| self.module.to(device, precision.kind(), false)));
        moved.map_err(|_| NnError::Torch(format!("the module cannot be moved to {device:?} in {precision:?}")))
    }
}
