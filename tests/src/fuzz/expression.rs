//! Random expressions of a type: calls of the extension's functions, its operators and casts, around values and columns.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Function};
use super::pool::Pool;
use super::value::{condition, job, tame, value};
use crate::shapes::Shapes;

/// Makes expressions and notes which functions are in them.
#[derive(Debug)]
pub struct Maker<'a> {
    /// Where chance comes from.
    pub dice: Shapes,
    /// What there is.
    pub catalogue: &'a Catalogue,
    /// The values there are.
    pub pool: &'a Pool,
    /// Functions, operators and casts that were used, as [`Catalogue::signatures`] names them.
    pub used: BTreeSet<String>,
    /// A part of the names of the functions that are wanted.
    pub only: Option<&'a str>,
}

/// The columns that tables of a query have.
fn column(dice: &mut Shapes, of: &str) -> Option<String> {
    Some(match of {
        "grnet_features" => "i.features".to_owned(),
        "integer" => format!("i.{}", dice.one_of(&["id", "category", "price"])),
        "text" => "i.id::text".to_owned(),
        "boolean" => "(i.price > 3)".to_owned(),
        "bytea" => "pool.b(i.id % 7)".to_owned(),
        "double precision" => "i.price::double precision".to_owned(),
        "real[]" => "grnet_global(i.features)".to_owned(),
        "grnet_features[]" => "ARRAY[i.features, NULL]".to_owned(),
        _ => return None,
    })
}

/// What would stop the server's own work, or wait long: asked for less often.
fn is_dear(name: &str) -> bool {
    ["train", "evaluate", "recall", "create_index", "match_map"].iter().any(|part| name.contains(part))
        && !name.contains("stat_")
}

impl Maker<'_> {
    /// An expression; `row`: whether columns of a table `i` are there.
    pub fn expression(&mut self, of: &str, depth: u64, row: bool) -> String {
        if depth == 0 || self.dice.once_in(3) {
            return self.leaf(of, row);
        }
        match self.dice.below(10) {
            0 => format!("coalesce({}, {})", self.leaf(of, row), self.expression(of, depth - 1, row)),
            1 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.expression("boolean", depth - 1, row),
                self.expression(of, depth - 1, row),
                self.leaf(of, row)
            ),
            2 => format!("(SELECT {})", self.expression(of, depth - 1, row)),
            3 => format!("(ARRAY[{}])[{}]", self.expression(of, depth - 1, row), self.dice.below(3)),
            _ => self.call_of(of, depth, row).unwrap_or_else(|| self.leaf(of, row)),
        }
    }

    /// A value or a column.
    pub fn leaf(&mut self, of: &str, row: bool) -> String {
        if row
            && !self.dice.once_in(3)
            && let Some(column) = column(&mut self.dice, of)
        {
            return column;
        }
        value(&mut self.dice, self.pool, of)
    }

    /// Something of the extension's that gives this type.
    fn call_of(&mut self, of: &str, depth: u64, row: bool) -> Option<String> {
        let functions: Vec<&Function> =
            self.catalogue.functions.iter().filter(|f| f.result == of && !f.is_set && !is_dear(&f.name)).collect();
        let operators: Vec<_> = self.catalogue.operators.iter().filter(|o| o.result == of).collect();
        let casts: Vec<_> = self.catalogue.casts.iter().filter(|(_, to)| to == of).collect();
        let at = self.dice.below((functions.len() + operators.len() + casts.len()).max(1) as u64) as usize;
        if let Some(function) = functions.get(at) {
            return Some(self.call(function, depth - 1, row));
        }
        let at = at - functions.len();
        if let Some(operator) = operators.get(at) {
            self.used.insert(format!("{} ({}, {})", operator.name, operator.left, operator.right));
            let left = self.expression(&operator.left, depth - 1, row);
            let right = self.expression(&operator.right, depth - 1, row);
            return Some(format!("({left} {} {right})", operator.name));
        }
        let (from, to) = casts.get(at - operators.len())?;
        self.used.insert(format!("cast {from} to {to}"));
        Some(format!("CAST({} AS {to})", self.expression(from, depth - 1, row)))
    }

    /// A call of a function.
    pub fn call(&mut self, function: &Function, depth: u64, row: bool) -> String {
        self.used.insert(function.signature.clone());
        let left_out = if self.dice.once_in(2) { self.dice.below(function.defaults as u64 + 1) as usize } else { 0 };
        let given = function.arguments.len() - left_out;
        let named =
            self.dice.once_in(4) && function.names.iter().take(given).filter(|name| !name.is_empty()).count() == given;
        let is_tame = self.dice.once_in(2);
        let mut arguments: Vec<String> = (0..given)
            .map(|at| {
                let name = function.names.get(at).map_or("", String::as_str);
                let argument = match (name, function.arguments[at].as_str()) {
                    // Anything else would hardly ever be a query.
                    ("condition", "text") if is_tame => "NULL::text".to_owned(),
                    ("query", "text") if !self.dice.once_in(6) => job(&mut self.dice),
                    ("condition", "text") if !self.dice.once_in(6) => condition(&mut self.dice),
                    (_, of) if is_tame && !self.dice.once_in(8) => tame(&mut self.dice, self.pool, of),
                    (_, of) => self.expression(of, depth, row),
                };
                if named { format!("\"{name}\" => {argument}") } else { argument }
            })
            .collect();
        if named && self.dice.once_in(2) {
            arguments.reverse();
        }
        format!("{}({})", function.name, arguments.join(", "))
    }

    /// A call of any function.
    pub fn any_call(&mut self, depth: u64, row: bool) -> (Function, String) {
        let functions = &self.catalogue.functions;
        loop {
            let function = &functions[self.dice.below(functions.len() as u64) as usize];
            let unwanted = self.only.is_some_and(|only| !function.name.contains(only));
            if unwanted && !self.dice.once_in(50) || is_dear(&function.name) && !self.dice.once_in(6) {
                continue;
            }
            return (function.clone(), self.call(function, depth, row));
        }
    }

    /// One of some words.
    pub fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        self.dice.one_of(words)
    }

    /// An expression of any type that is often met.
    pub fn any(&mut self, depth: u64, row: bool) -> String {
        let of = self.one_of(&[
            "grnet_features",
            "double precision",
            "real[]",
            "boolean",
            "jsonb",
            "integer",
            "real",
            "bytea",
            "text",
        ]);
        self.expression(of, depth, row)
    }

    /// A score of a row.
    pub fn score(&mut self) -> String {
        let query = value(&mut self.dice, self.pool, "grnet_features");
        match self.dice.below(5) {
            0 => format!("grnet_score(i.features, {query})"),
            1 => format!("grnet_score({query}, i.features)"),
            2 => format!("grnet_distance(i.features, {query})"),
            3 => format!("({query} <-> i.features)"),
            _ => format!("(i.features <-> {query})"),
        }
    }
}

impl Catalogue {
    /// Names of all functions, operators and casts.
    pub fn signatures(&self) -> BTreeSet<String> {
        let functions = self.functions.iter().map(|f| f.signature.clone());
        let operators = self.operators.iter().map(|o| format!("{} ({}, {})", o.name, o.left, o.right));
        let casts = self.casts.iter().map(|(from, to)| format!("cast {from} to {to}"));
        functions.chain(operators).chain(casts).collect()
    }
}
