//! What queries answer, and how they are run.

use postgres::{Client, SimpleQueryMessage};
use serde_json::Value;

/// A query's rows as text, columns between bars.
///
/// # Panics
/// The server refuses.
pub fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
        }
        _ => None,
    };
    messages.iter().filter_map(row).collect()
}

/// The plan of a query that was executed.
///
/// # Panics
/// The server refuses.
pub fn analyzed(client: &mut Client, sql: &str) -> Value {
    let text = rows(client, &format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}")).concat();
    let plan: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    plan[0]["Plan"].clone()
}

/// The first node of a plan for which `wanted` is true.
pub fn node<'a>(plan: &'a Value, wanted: &dyn Fn(&Value) -> bool) -> Option<&'a Value> {
    if wanted(plan) {
        return Some(plan);
    }
    plan["Plans"].as_array()?.iter().find_map(|below| node(below, wanted))
}

/// The first node of ours with this name.
pub fn custom<'a>(plan: &'a Value, name: &str) -> Option<&'a Value> {
    node(plan, &|node| node["Custom Plan Provider"] == name)
}
