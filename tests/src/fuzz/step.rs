//! A step of a case: what a session is told, and what it answers.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use postgres::error::DbError;
use postgres::types::ToSql;
use postgres::{Client, Error, SimpleQueryMessage};

use super::raw::Raw;
use super::value::hex;

/// Something that a session is told.
#[derive(Debug, Clone)]
pub enum Step {
    /// SQL.
    Sql(String),
    /// SQL that another session cancels after so many milliseconds.
    Cancelled(String, u64),
    /// SQL with parameters in binary form.
    Parameters(String, Vec<Vec<u8>>),
    /// `COPY … TO STDOUT`.
    CopyOut(String),
    /// `COPY … FROM STDIN`, and what is sent.
    CopyIn(String, Vec<u8>),
    /// What comes out of the first is sent to the second.
    CopyAround(String, String),
}

impl Step {
    /// Its SQL.
    pub fn sql(&self) -> &str {
        match self {
            Self::Sql(sql)
            | Self::Cancelled(sql, _)
            | Self::Parameters(sql, _)
            | Self::CopyOut(sql)
            | Self::CopyIn(sql, _) => sql,
            Self::CopyAround(_, sql) => sql,
        }
    }

    /// Whether rows are sent.
    pub fn is_copy_in(&self) -> bool {
        matches!(self, Self::CopyIn(..) | Self::CopyAround(..))
    }

    /// After how long another session cancels it.
    pub fn cancelled_after(&self) -> Option<Duration> {
        match self {
            Self::Cancelled(_, after) => Some(Duration::from_millis(*after)),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(sql) | Self::CopyOut(sql) => write!(f, "{sql};"),
            Self::Cancelled(sql, after) => write!(f, "{sql}; -- cancelled after {after} ms"),
            Self::Parameters(sql, values) => {
                write!(f, "{sql}; -- binary parameters:")?;
                values.iter().try_for_each(|value| write!(f, " {}", hex(value)))
            }
            Self::CopyIn(sql, data) => write!(f, "{sql}; -- sent: {}", hex(data)),
            Self::CopyAround(from, to) => write!(f, "{from}; {to}; -- the one's rows into the other"),
        }
    }
}

/// What became of a step.
#[derive(Debug)]
pub enum Answer {
    /// It was done.
    Fine,
    /// The server refused.
    Error(Box<DbError>),
    /// The client refused.
    Odd(String),
    /// The session is gone.
    Lost(String),
}

fn of_io(error: io::Error) -> Result<Error, String> {
    let kind = error.kind();
    error
        .into_inner()
        .ok_or_else(|| kind.to_string())?
        .downcast::<Error>()
        .map(|error| *error)
        .map_err(|other| other.to_string())
}

fn copy_out(client: &mut Client, sql: &str) -> Result<Vec<u8>, Result<Error, String>> {
    let mut bytes = Vec::new();
    let mut reader = client.copy_out(sql).map_err(Ok)?;
    reader.read_to_end(&mut bytes).map_err(of_io)?;
    Ok(bytes)
}

fn copy_in(client: &mut Client, sql: &str, bytes: &[u8]) -> Result<(), Result<Error, String>> {
    let mut writer = client.copy_in(sql).map_err(Ok)?;
    writer.write_all(bytes).map_err(of_io)?;
    writer.finish().map(drop).map_err(Ok)
}

/// Tells a session.
pub fn run(client: &mut Client, step: &Step) -> Answer {
    let done = match step {
        Step::Sql(sql) | Step::Cancelled(sql, _) => client.simple_query(sql).map(drop).map_err(Ok),
        Step::Parameters(sql, values) => {
            let values: Vec<Raw<'_>> = values.iter().map(|value| Raw(value)).collect();
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            client.query(sql.as_str(), &values).map(drop).map_err(Ok)
        }
        Step::CopyOut(sql) => copy_out(client, sql).map(drop),
        Step::CopyIn(sql, bytes) => copy_in(client, sql, bytes),
        Step::CopyAround(from, to) => copy_out(client, from).and_then(|bytes| copy_in(client, to, &bytes)),
    };
    match done {
        Ok(()) => Answer::Fine,
        Err(Ok(error)) => match error.as_db_error() {
            Some(error) if !client.is_closed() => Answer::Error(Box::new(error.clone())),
            _ if client.is_closed() => Answer::Lost(format!("{error:?}")),
            _ => Answer::Odd(error.to_string()),
        },
        Err(Err(_)) if client.is_closed() => Answer::Lost("while copying".to_owned()),
        Err(Err(why)) => Answer::Odd(why),
    }
}

/// A query's rows as text, columns between bars.
///
/// # Errors
/// The server refuses.
pub fn rows(client: &mut Client, sql: &str) -> Result<Vec<String>, Error> {
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
        }
        _ => None,
    };
    Ok(client.simple_query(sql)?.iter().filter_map(row).collect())
}
