//! The models that are loaded: their networks on the model thread, their shapes for everybody.

use std::sync::{Arc, PoisonError, RwLock};

use grnet_core::model::ModelId;

use super::work::{Network, Shape};

/// The shapes of the loaded models, as sessions see them.
#[derive(Debug, Default)]
pub struct Shapes(RwLock<Vec<(ModelId, Arc<Shape>)>>);

impl Shapes {
    /// The shape of a loaded model.
    pub fn get(&self, model: ModelId) -> Option<Arc<Shape>> {
        let shapes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shapes.iter().find(|(id, _)| *id == model).map(|(_, shape)| Arc::clone(shape))
    }

    /// The ids of the loaded models.
    pub fn ids(&self) -> Vec<ModelId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(id, _)| *id).collect()
    }

    fn set(&self, shapes: Vec<(ModelId, Arc<Shape>)>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shapes;
    }
}

/// The loaded models, least recently used first. Only the model thread has it.
pub struct Models {
    limit: usize,
    loaded: Vec<Loaded>,
}

struct Loaded {
    id: ModelId,
    shape: Arc<Shape>,
    network: Box<dyn Network>,
}

impl Models {
    /// No model; at most `limit` of them.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), loaded: Vec::new() }
    }

    /// A model's network and shape; it counts as used now.
    pub fn used(&mut self, id: ModelId) -> Option<(&mut (dyn Network + 'static), &Arc<Shape>)> {
        let at = self.loaded.iter().position(|model| model.id == id)?;
        let model = self.loaded.remove(at);
        self.loaded.push(model);
        self.loaded.last_mut().map(|model| (&mut *model.network, &model.shape))
    }

    /// Makes room for one more; the ids of what went.
    pub fn make_room(&mut self, shapes: &Shapes) -> Vec<ModelId> {
        let over = (self.loaded.len() + 1).saturating_sub(self.limit);
        let gone = self.loaded.drain(..over).map(|model| model.id).collect();
        self.publish(shapes);
        gone
    }

    /// Adds a model.
    pub fn add(&mut self, id: ModelId, shape: Arc<Shape>, network: Box<dyn Network>, shapes: &Shapes) {
        self.loaded.push(Loaded { id, shape, network });
        self.publish(shapes);
    }

    fn publish(&self, shapes: &Shapes) {
        shapes.set(self.loaded.iter().map(|model| (model.id, Arc::clone(&model.shape))).collect());
    }
}
