//! Odd values of a type, as SQL.

use grnet_features::value::to_text;

use super::pool::Pool;
use super::words::{BOXES, COLUMNS, CONDITIONS, FLOATS, INTEGERS, JSON, STUDIES, TABLES, TEXTS};
use crate::shapes::Shapes;

/// The bytes with a few of them changed, cut, or doubled.
pub fn damaged(dice: &mut Shapes, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len() as u64;
    if length == 0 {
        return bytes;
    }
    match dice.below(6) {
        0 => bytes.truncate(dice.below(length) as usize),
        1 => bytes.extend_from_within(..dice.below(length) as usize),
        // A header decides more than what comes behind it.
        2 | 3 => bytes[dice.below(length.min(48)) as usize] = dice.below(256) as u8,
        _ => {
            for _ in 0..=dice.below(4) {
                bytes[dice.below(length) as usize] ^= 1 << dice.below(8);
            }
        }
    }
    bytes
}

/// Bytes as a literal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("'\\x".to_owned(), |text, byte| text + &format!("{byte:02x}")) + "'"
}

/// Features.
fn features(dice: &mut Shapes, pool: &Pool) -> String {
    let value = &pool.values[dice.below(pool.values.len() as u64) as usize];
    match dice.below(12) {
        0 => "NULL::grnet_features".to_owned(),
        1 => format!("'{}'::grnet_features", to_text(&damaged(dice, value))),
        2 => format!("'{}'::grnet_features", to_text(value)),
        3 => "(SELECT f FROM question WHERE id = 2)".to_owned(),
        4 => format!("asked({})", dice.below(7)),
        5 => format!("drawn({})", dice.below(7)),
        6 => format!("(SELECT f FROM pool.feature WHERE n = {})", dice.below(pool.features)),
        7 => format!("grnet_embed(pool.b({}))", dice.below(6)),
        8 => format!("pool.f({})", dice.below(pool.features)),
        _ => format!("pool.f({})", dice.below(6)),
    }
}

fn bytes(dice: &mut Shapes, pool: &Pool) -> String {
    match dice.below(12) {
        0 => "NULL::bytea".to_owned(),
        1 => "''::bytea".to_owned(),
        2 => format!("{}::bytea", hex(&damaged(dice, &pool.jpeg))),
        3 => [
            "convert_to(repeat('x', 2000000), 'UTF8')",
            "'/etc/passwd'::bytea",
            "'https://a/b.jpg'::bytea",
            "convert_to('\\xffd8', 'UTF8')",
        ][dice.below(4) as usize]
            .to_owned(),
        4 => "(SELECT file FROM grnet.model_file ORDER BY id LIMIT 1)".to_owned(),
        5 => format!("{}::bytea", hex(&damaged(dice, &pool.model[..pool.model.len().min(3_000)]))),
        6..=8 => format!("pool.b({})", dice.below(6)),
        _ => format!("pool.b({})", dice.below(pool.images)),
    }
}

/// An array of a type's values, odd in its shape, too.
fn array(dice: &mut Shapes, pool: &Pool, of: &str) -> String {
    let items: Vec<String> = (0..dice.below(5)).map(|_| value(dice, pool, of)).collect();
    let items = items.join(", ");
    match dice.below(12) {
        0 => format!("NULL::{of}[]"),
        1 => format!("'{{}}'::{of}[]"),
        2 => format!("ARRAY[NULL, NULL]::{of}[]"),
        3 => format!("ARRAY[ARRAY[{items}], ARRAY[{items}]]::{of}[]"),
        4 => format!("('[-3:-1]={{NULL,NULL,NULL}}'::{of}[])"),
        5 => format!(
            "array_fill({}::{of}, ARRAY[{}])",
            value(dice, pool, of),
            ["0", "1", "40", "1025", "3584"][dice.below(5) as usize]
        ),
        6 => format!(
            "array_fill({}::{of}, ARRAY[3], ARRAY[{}])",
            value(dice, pool, of),
            ["0", "7", "-2147483648", "2147483640"][dice.below(4) as usize]
        ),
        7 if of == "real" => "array_fill(0.5::real, ARRAY[5 * 8])".to_owned(),
        8 if of == "real" => "(SELECT array_agg(n / 9.0)::real[] FROM generate_series(1, 40) n)".to_owned(),
        _ => format!("ARRAY[{items}]::{of}[]"),
    }
}

/// A value of a type.
pub fn value(dice: &mut Shapes, pool: &Pool, of: &str) -> String {
    if let Some(item) = of.strip_suffix("[]") {
        return array(dice, pool, item);
    }
    match of {
        "grnet_features" => features(dice, pool),
        "bytea" => bytes(dice, pool),
        "integer" | "smallint" | "bigint" => format!("{}::{of}", dice.one_of(&INTEGERS)),
        "real" if dice.once_in(2) => format!("({}::numeric / 7)::real", dice.below(100)),
        "real" | "double precision" | "numeric" => match dice.one_of(&FLOATS) {
            // No real is as small.
            "1e-300" if of == "real" => "1e-40::real".to_owned(),
            float => format!("{float}::{of}"),
        },
        "text" | "cstring" => match dice.below(8) {
            0 => format!("{}::{of}", dice.one_of(&CONDITIONS)),
            1 | 2 => format!("('tiny'::text)::{of}"),
            _ => format!("{}::{of}", dice.one_of(&TEXTS)),
        },
        "name" => format!("{}::name", dice.one_of(&COLUMNS)),
        "jsonb" | "json" => format!("{}::{of}", dice.one_of(&JSON)),
        "box" => format!("{}::box", dice.one_of(&BOXES)),
        "boolean" => format!("{}::boolean", dice.one_of(&["true", "false", "NULL"])),
        "regclass" => format!("{}::regclass", dice.one_of(&TABLES)),
        "anyelement" => dice
            .one_of(&[
                "NULL::item",
                "NULL::part",
                "NULL::held",
                "NULL::leaf",
                "NULL::shown",
                "1",
                "'x'::text",
                "NULL::clothed",
                "ROW(1, 2)",
                "NULL",
            ])
            .to_owned(),
        "internal" | "trigger" => format!("NULL::{of}"),
        _ => format!("{}::{of}", dice.one_of(&["NULL", "''", "'1'"])),
    }
}

/// The query of a training or an evaluation.
pub fn job(dice: &mut Shapes) -> String {
    format!("{}::text", dice.one_of(&STUDIES))
}

/// The condition of a search.
pub fn condition(dice: &mut Shapes) -> String {
    dice.one_of(&CONDITIONS).to_owned()
}

/// A value that is mostly right, so that what lies behind the first check is reached too.
pub fn tame(dice: &mut Shapes, pool: &Pool, of: &str) -> String {
    let words = match of {
        "grnet_features" => return format!("pool.f({})", dice.below(6)),
        "bytea" => return format!("pool.b({})", dice.below(6)),
        "integer" => &["1", "0", "2", "20"][..],
        "text" => &["'tiny'"],
        "name" => &["NULL::name", "'features'"],
        "jsonb" => &["'{}'", "'{\"steps\": 1, \"model\": \"tiny\"}'", "'{\"shortlist\": 3}'"],
        "box" => &["box '(0,0),(20,20)'", "NULL::box"],
        "regclass" => &["'item'::regclass", "'near'::regclass", "'part_low'::regclass", "'seen'::regclass"],
        "anyelement" => &["NULL::item", "NULL::near", "NULL::part", "NULL::clothed"],
        "integer[]" => &["'{2,5}'::int[]", "NULL::int[]"],
        "grnet_features[]" => &["ARRAY[pool.f(1), pool.f(2)]", "ARRAY[pool.f(3), NULL]"],
        "bytea[]" => &["ARRAY[pool.b(1), pool.b(2), NULL]"],
        "text[]" => &["ARRAY['16384:(0,1)', NULL]"],
        "real[]" => &["array_fill(0.5::real, ARRAY[5 * 8])"],
        _ => return value(dice, pool, of),
    };
    dice.one_of(words).to_owned()
}
