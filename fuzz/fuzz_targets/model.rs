//! Model files: refused, or checked and read without a value that is not finite.

#![no_main]

use grnet_score::head::Head;
use grnet_features::model_file::ModelFile;
use grnet_score::scorer::Scorer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = ModelFile::parse(bytes) else { return };
    let _ = model.tensor_names();
    if model.check_tensors().is_err() {
        return;
    }
    let Ok(head) = Head::read(&model) else { return };
    assert!(head.projections.iter().all(|projection| projection.weight.iter().all(|value| value.is_finite())));
    let _ = Scorer::new(head);
});
