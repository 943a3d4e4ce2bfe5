//! Errors as the server reports them.

use postgres::Client;
use postgres::types::ToSql;

/// An ERROR: SQLSTATE, message, DETAIL and HINT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE.
    pub code: String,
    /// The message.
    pub message: String,
    /// DETAIL, empty where there is none.
    pub detail: String,
    /// HINT, empty where there is none.
    pub hint: String,
}

impl Refusal {
    /// What the server said; `None` where the connection is gone instead.
    pub fn of(error: &postgres::Error) -> Option<Self> {
        let error = error.as_db_error()?;
        Some(Self {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().unwrap_or_default().to_owned(),
            hint: error.hint().unwrap_or_default().to_owned(),
        })
    }
}

/// Runs a statement that must be refused.
///
/// # Panics
/// It is not, or the connection is lost.
pub fn refused(client: &mut Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Refusal {
    match client.query(sql, parameters) {
        Ok(rows) => panic!("{sql}: not refused, {} rows", rows.len()),
        Err(error) => Refusal::of(&error).unwrap_or_else(|| panic!("{sql}: no ERROR but {error:?}")),
    }
}

/// Asserts that a statement is refused with an SQLSTATE and that message, DETAIL and HINT together say `words`.
///
/// # Panics
/// It is not.
pub fn assert_refused(client: &mut Client, sql: &str, code: &str, words: &str) -> Refusal {
    let refusal = refused(client, sql, &[]);
    let said = format!("{}\n{}\n{}", refusal.message, refusal.detail, refusal.hint);
    assert!(refusal.code == code && said.contains(words), "{sql}: expected {code} and {words:?}, got {refusal:?}");
    refusal
}
