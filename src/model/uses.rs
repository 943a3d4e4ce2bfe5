//! What still uses a model that somebody wants to drop: triggers that name it, columns with values that it made.

use std::time::{Duration, Instant};

use grnet_features::model_file::ModelId;
use pgrx::pg_sys;

use crate::error::Error;
use crate::pg::cursor::Query;
use crate::pg::{encoding, stored_models};

/// Uses that are named.
const NAMED: usize = 5;
/// Rows of a table that are looked at. A table that begins with as many other rows is not found: a drop must not take the
/// minutes that reading a catalogue takes.
const ROWS: usize = 10_000;
/// How long it may take in all.
const TIME: Duration = Duration::from_secs(5);

/// What uses the model, as far as it is found in bounded time, and whether there is more.
///
/// # Errors
/// Catalogs cannot be read here.
pub fn of(name: &str, id: ModelId, features_type: pg_sys::Oid) -> Result<Vec<String>, Error> {
    let mut uses: Vec<String> = rows(&triggers(name))?.into_iter().map(|[use_, ..]| use_).collect();
    let began = Instant::now();
    for [column, table, number] in rows(&columns(features_type))? {
        if uses.len() > NAMED || began.elapsed() > TIME {
            break;
        }
        let (Ok(table), Ok(number)) = (table.parse::<u32>(), number.parse()) else { continue };
        if stored_models::holds(pg_sys::Oid::from(table), number, id, ROWS) {
            uses.push(column);
        }
    }
    if uses.len() > NAMED {
        uses.truncate(NAMED);
        uses.push("and more".into());
    }
    Ok(uses)
}

/// Triggers with the argument `model=NAME`; those of partitions go with their table's.
fn triggers(name: &str) -> String {
    let argument = [b"\0model=", encoding::to_server(name).as_bytes(), b"\0"].concat();
    let argument: String = argument.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "SELECT pg_catalog.format('trigger %I on table %s', t.tgname, t.tgrelid::pg_catalog.regclass), NULL, NULL \
         FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid \
         WHERE p.proname OPERATOR(pg_catalog.=) 'grnet_features_trigger' AND t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid \
         AND pg_catalog.position(t.tgargs, '\\x{argument}'::pg_catalog.bytea) OPERATOR(pg_catalog.>) 0 ORDER BY t.oid"
    )
}

/// Columns of the type, or of a domain over it, of what holds rows.
fn columns(features_type: pg_sys::Oid) -> String {
    format!(
        "WITH RECURSIVE kind AS (SELECT {}::pg_catalog.oid AS type UNION ALL \
         SELECT t.oid FROM pg_catalog.pg_type AS t JOIN kind ON t.typbasetype OPERATOR(pg_catalog.=) kind.type) \
         SELECT pg_catalog.format('column %I of table %s', a.attname, c.oid::pg_catalog.regclass), c.oid, a.attnum \
         FROM pg_catalog.pg_attribute AS a JOIN kind ON a.atttypid OPERATOR(pg_catalog.=) kind.type \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) a.attrelid \
         WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{{r,m}}') AND NOT a.attisdropped \
         AND NOT pg_catalog.pg_is_other_temp_schema(c.relnamespace) ORDER BY c.oid, a.attnum",
        features_type.to_u32()
    )
}

/// A query's rows of three columns, as text.
fn rows(sql: &str) -> Result<Vec<[String; 3]>, Error> {
    let mut query = Query::open(&encoding::to_server(sql))?;
    let mut all = Vec::new();
    while query.each(100, |row| {
        all.push([0, 1, 2].map(|column| row.text(column).unwrap_or_default()));
        Ok(())
    })? {}
    query.close();
    Ok(all)
}
