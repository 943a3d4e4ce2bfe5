//! The same queries in two ways: random queries are run, and what they give is compared.

use postgres::{Client, SimpleQueryMessage};

use crate::images::bmp;
use crate::server::Server;
use crate::shapes::{Shape, Shapes, TABLES};

/// A number from the environment.
///
/// # Panics
/// It is none.
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// A session in a database with the tables of [`TABLES`].
///
/// # Panics
/// The server refuses.
pub fn with_tables(server: &Server) -> Client {
    let mut client = server.session();
    client
        .batch_execute("SELECT grnet_install_model('base'); CREATE TABLE image (n int, features grnet_features)")
        .expect("a table");
    let images: Vec<Vec<u8>> = (0..40).map(bmp).collect();
    let sql = "INSERT INTO image SELECT n, f FROM unnest(grnet_embed_images($1)) WITH ORDINALITY u (f, n)";
    client.execute(sql, &[&images]).expect("features");
    client.batch_execute(TABLES).expect("tables");
    client
}

/// What statements gave, row by row, or the error that ended them.
///
/// # Panics
/// The session is lost.
pub fn outcome(client: &mut Client, statements: &[String], unordered: bool) -> Vec<String> {
    let mut rows = Vec::new();
    for statement in statements {
        match client.simple_query(statement) {
            Ok(messages) => rows.extend(messages.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|column| row.get(column).unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
                }
                _ => None,
            })),
            Err(error) => {
                let error =
                    error.as_db_error().unwrap_or_else(|| panic!("the session is lost by {statement}: {error:?}"));
                rows.push(format!("{} {}", error.code().code(), error.message()));
                client.batch_execute("ROLLBACK; DEALLOCATE ALL").expect("the session goes on");
                break;
            }
        }
    }
    if unordered {
        rows.sort_unstable();
    }
    rows
}

/// How a query is run.
pub fn statements(shapes: &mut Shapes, shape: &Shape, values: &[String]) -> Vec<String> {
    let sql = &shape.sql;
    let value = |shapes: &mut Shapes| {
        let at = shapes.below(values.len() as u64 + 1) as usize;
        values.get(at).map_or("NULL".to_owned(), |value| format!("'{value}'"))
    };
    if shape.has_parameters {
        let mut all = vec![
            format!(
                "SET plan_cache_mode = {}",
                ["auto", "force_generic_plan", "force_custom_plan"][shapes.below(3) as usize]
            ),
            format!("PREPARE s (grnet_features, int) AS {sql}"),
        ];
        // From the sixth on a generic plan may be taken.
        let times = if shapes.once_in(3) { 7 } else { 2 };
        all.extend((0..times).map(|_| format!("EXECUTE s ({}, {})", value(shapes), shapes.below(12))));
        all.push("DEALLOCATE s".to_owned());
        return all;
    }
    if shape.scrolls && shapes.once_in(4) {
        let fetches = ["3", "BACKWARD 2", "ABSOLUTE 4", "PRIOR", "ALL", "BACKWARD ALL", "FORWARD 5"];
        let scroll = if sql.contains(" FOR ") { "NO SCROLL" } else { "SCROLL" };
        let mut all = vec![format!("BEGIN; DECLARE c {scroll} CURSOR FOR {sql}")];
        let usable = if scroll == "SCROLL" { &fetches[..] } else { &fetches[..1] };
        all.extend((0..6).map(|_| format!("FETCH {} FROM c", usable[shapes.below(usable.len() as u64) as usize])));
        all.push("COMMIT".to_owned());
        return all;
    }
    vec![sql.clone()]
}

/// Values that parameters may have.
///
/// # Panics
/// The server refuses.
pub fn values(client: &mut Client) -> Vec<String> {
    let sql = "SELECT f::text FROM question WHERE f IS NOT NULL ORDER BY id";
    client.query(sql, &[]).expect("values").iter().map(|row| row.get(0)).collect()
}

/// A table of two models is an error where the row of the other one is scored. Below a limit a plan that sorts group by
/// group may end before that row and another not: then only what came before it can be compared.
pub fn until_the_error(both: &mut [Vec<String>; 2], unordered: bool) {
    let failed = |rows: &Vec<String>| rows.iter().position(|row| row.starts_with("55000 "));
    if let [Some(at), None] | [None, Some(at)] = [failed(&both[0]), failed(&both[1])] {
        both.iter_mut().for_each(|rows| rows.truncate(if unordered { 0 } else { at }));
    }
}
