//! A query of the user's, run with his rights, read row by row.

use std::ffi::CStr;

use pgrx::pg_sys;

use super::datum::{self, Detoasted};
use super::encoding;
use crate::error::Error;

/// A cursor over a query. It has no destructor: after an ERROR the transaction's end closes it, and an error of ours
/// becomes one.
pub struct Query {
    portal: pg_sys::Portal,
}

/// A column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; of a domain what it is made of.
    pub kind: pg_sys::Oid,
}

/// A row, while the query stands on it.
pub struct Row<'a> {
    tuple: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
    _batch: &'a (),
}

impl Query {
    /// Prepares the query and opens the cursor. The query may only read.
    ///
    /// # Errors
    /// It is no single query. What the parser and planner refuse is their ERROR.
    pub fn open(sql: &CStr) -> Result<Self, Error> {
        // SAFETY: the text is a C string; the plan takes no parameters; a portal that is opened lives until it is closed
        // or the transaction ends.
        unsafe {
            if pg_sys::SPI_connect() < 0 {
                return Err(Error::Argument("a query cannot be run here".into()));
            }
            let plan = pg_sys::SPI_prepare(sql.as_ptr(), 0, std::ptr::null_mut());
            if plan.is_null() {
                return Err(Error::Argument("the query cannot be prepared".into()));
            }
            let portal = pg_sys::SPI_cursor_open(std::ptr::null(), plan, std::ptr::null_mut(), std::ptr::null(), true);
            Ok(Self { portal })
        }
    }

    /// The query's columns.
    pub fn columns(&self) -> Vec<Column> {
        // SAFETY: an open portal has a row type; names are C strings in the server's memory.
        unsafe {
            let columns = (*self.portal).tupDesc;
            let one = |number| Column {
                name: encoding::from_c(pg_sys::SPI_fname(columns, number)),
                kind: pg_sys::getBaseType(pg_sys::SPI_gettypeid(columns, number)),
            };
            (1..=(*columns).natts).map(one).collect()
        }
    }

    /// Fetches the next rows, at most `most`, and gives each to `take`. False where there was none.
    ///
    /// # Errors
    /// What `take` returns.
    pub fn each(&mut self, most: i16, mut take: impl FnMut(Row<'_>) -> Result<(), Error>) -> Result<bool, Error> {
        // SAFETY: the portal is open; the result of the fetch, or NULL.
        let table = unsafe {
            pg_sys::SPI_cursor_fetch(self.portal, true, most.into());
            pg_sys::SPI_tuptable
        };
        if table.is_null() {
            return Ok(false);
        }
        // SAFETY: its `numvals` rows stay until it is freed, which no row outlives.
        let (rows, columns) = unsafe { (usize::try_from((*table).numvals).unwrap_or(0), (*table).tupdesc) };
        for row in 0..rows {
            // SAFETY: as above.
            take(Row { tuple: unsafe { *(*table).vals.add(row) }, columns, _batch: &() })?;
        }
        // SAFETY: as above.
        unsafe { pg_sys::SPI_freetuptable(table) };
        Ok(rows > 0)
    }

    /// Closes the cursor.
    pub fn close(self) {
        // SAFETY: the portal is open, and the connection to SPI is the one that `open` made.
        unsafe {
            pg_sys::SPI_cursor_close(self.portal);
            pg_sys::SPI_finish();
        }
    }
}

impl<'a> Row<'a> {
    /// A column's value as text, whatever its type; `None` where it is NULL. Columns are counted from 0.
    pub fn text(&self, column: usize) -> Option<String> {
        // SAFETY: the number is that of a column; the text is the server's memory, NUL-terminated, freed at once.
        unsafe {
            let value = pg_sys::SPI_getvalue(self.tuple, self.columns, number(column));
            if value.is_null() {
                return None;
            }
            let text = encoding::from_c(value);
            pg_sys::pfree(value.cast());
            Some(text)
        }
    }

    /// A column of type bytea: its size before it is fetched, and its bytes.
    pub fn bytea(&self, column: usize) -> Option<(usize, impl FnOnce() -> Detoasted<'a>)> {
        let value = self.datum(column)?;
        Some((datum::size_of(value), move || datum::bytea(value)))
    }

    /// A column of type box as left, top, width, height.
    pub fn rectangle(&self, column: usize) -> Option<[f64; 4]> {
        self.datum(column).map(datum::rectangle)
    }

    fn datum(&self, column: usize) -> Option<pg_sys::Datum> {
        let mut null = false;
        // SAFETY: the number is that of a column of the row.
        let value = unsafe { pg_sys::SPI_getbinval(self.tuple, self.columns, number(column), &mut null) };
        (!null).then_some(value)
    }
}

fn number(column: usize) -> i32 {
    i32::try_from(column + 1).unwrap_or(i32::MAX)
}
