//! Why a job is refused.

use grnet_wire::{JobFault, JobRefusal};

/// A refusal without more to say.
pub fn refusal(fault: JobFault, message: String) -> JobRefusal {
    JobRefusal { fault, message, detail: None, hint: None }
}
