//! What the user is told of a command that goes on.

use pgrx::{PgLogLevel, PgSqlErrorCode as Code};

use crate::pg::report::{self, Report};

/// Tells the user something that is no error: of a command that goes on.
pub fn tell(level: PgLogLevel, message: String, detail: Option<String>) {
    let code = match level {
        PgLogLevel::WARNING => Code::ERRCODE_WARNING,
        _ => Code::ERRCODE_SUCCESSFUL_COMPLETION,
    };
    report::tell(level, Report { code, message, detail, hint: None });
}

/// The same with a HINT.
pub fn warn(level: PgLogLevel, message: String, detail: &str, hint: &str) {
    let code = match level {
        PgLogLevel::WARNING => Code::ERRCODE_WARNING,
        _ => Code::ERRCODE_SUCCESSFUL_COMPLETION,
    };
    report::tell(level, Report { code, message, detail: Some(detail.to_owned()), hint: Some(hint.to_owned()) });
}

/// A message as a sentence, for DETAIL.
pub fn sentence(text: &str) -> String {
    let mut out: String = text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
    if !out.ends_with('.') {
        out.push('.');
    }
    out
}
