//! The models that are loaded: their networks on the model thread, their shapes and graphs for everybody.

use std::sync::{Arc, PoisonError, RwLock};

use grnet_features::model_file::ModelId;
use grnet_nn::shape::ModelShape;
use grnet_score::scorer::Scorer;

use crate::ports::Network;

/// What everybody knows of a loaded model.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its shape.
    pub shape: Arc<ModelShape>,
    /// Its graph.
    pub scorer: Arc<Scorer>,
}

/// The loaded models as sessions see them.
#[derive(Debug, Default)]
pub struct Shapes(RwLock<Vec<(ModelId, Known)>>);

impl Shapes {
    /// A loaded model.
    pub fn get(&self, model: ModelId) -> Option<Known> {
        let shapes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shapes.iter().find(|(id, _)| *id == model).map(|(_, known)| known.clone())
    }

    /// The ids of the loaded models.
    pub fn ids(&self) -> Vec<ModelId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(id, _)| *id).collect()
    }

    fn set(&self, shapes: Vec<(ModelId, Known)>) {
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
    known: Known,
    network: Box<dyn Network>,
}

impl Models {
    /// No model; at most `limit` of them.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), loaded: Vec::new() }
    }

    /// A model's network and shape; it counts as used now.
    pub fn used(&mut self, id: ModelId) -> Option<(&mut (dyn Network + 'static), &Arc<ModelShape>)> {
        let at = self.loaded.iter().position(|model| model.id == id)?;
        let model = self.loaded.remove(at);
        self.loaded.push(model);
        self.loaded.last_mut().map(|model| (&mut *model.network, &model.known.shape))
    }

    /// Makes room for one more; the ids of what went.
    pub fn make_room(&mut self, shapes: &Shapes) -> Vec<ModelId> {
        let over = (self.loaded.len() + 1).saturating_sub(self.limit);
        let gone = self.loaded.drain(..over).map(|model| model.id).collect();
        self.publish(shapes);
        gone
    }

    /// Adds a model.
    pub fn add(&mut self, id: ModelId, known: Known, network: Box<dyn Network>, shapes: &Shapes) {
        self.loaded.push(Loaded { id, known, network });
        self.publish(shapes);
    }

    fn publish(&self, shapes: &Shapes) {
        shapes.set(self.loaded.iter().map(|model| (model.id, model.known.clone())).collect());
    }
}
