//! The last line of defence: nothing that a codec does wrong leaves this crate as a panic.

use crate::{Error, Format};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a codec and turns unwinding into [`Error::Damaged`].
///
/// mozjpeg reports each of its errors by unwinding, without passing the panic hook, so nothing is
/// printed for them. A real panic in a codec does print through the process's hook: that is a defect
/// which somebody should see. Whatever the closure was building is dropped with it.
pub(crate) fn guarded<T>(format: Format, codec: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(codec)) {
        Ok(result) => result,
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied())
                .unwrap_or("the decoder failed");
            Err(damaged(format, text))
        }
    }
}

/// [`Error::Damaged`] with a codec's words in our form: one line, lower case, no full stop, 200 characters at most.
pub(crate) fn damaged(format: Format, words: &str) -> Error {
    let words = words.strip_prefix("libjpeg fatal error: ").unwrap_or(words);
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let line = line.trim().trim_end_matches('.');
    let mut chars = line.chars();
    let reason = match (chars.next(), chars.clone().next()) {
        // A second capital means an acronym, which stays.
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => first.to_lowercase().chain(chars).collect(),
        _ => line.to_string(),
    };
    Error::Damaged { format, reason }
}
