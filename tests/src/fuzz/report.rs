//! What a run has done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use postgres::error::DbError;

use super::step::Step;

/// So many failures of a kind are kept.
const FEW: u64 = 3;

/// Counts, and what failed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Cases.
    pub cases: u64,
    /// Statements.
    pub statements: u64,
    /// Statements that gave no ERROR.
    pub answered: u64,
    /// ERRORs by SQLSTATE.
    pub errors: BTreeMap<String, u64>,
    /// What was said, where an engine, a disk or a network is meant: once for each SQLSTATE.
    pub outside: BTreeMap<String, String>,
    /// Plans that were looked at.
    pub plans: u64,
    /// In how many of them a node was.
    pub nodes: BTreeMap<String, u64>,
    /// Functions, operators and casts that were called.
    pub tried: BTreeSet<String>,
    /// Those of them that were in a statement without an ERROR.
    pub worked: BTreeSet<String>,
    /// All there are.
    pub all: BTreeSet<String>,
    /// The longest that a statement ran beyond its timeout, and which.
    pub late: (Duration, String),
    /// How often the engine was started anew.
    pub restarts: i64,
    /// What must not be, with what is needed to see it again: some of each kind.
    pub failures: Vec<String>,
    /// How many there were, by their first line without its figures.
    pub kinds: BTreeMap<String, u64>,
}

impl Report {
    /// Notes that a statement was answered, and what of `used` is in it.
    pub fn note_answer(&mut self, sql: &str, used: &BTreeSet<String>) {
        self.answered += 1;
        // A block may have caught the ERROR, and a plan or a definition has called nothing.
        if !["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|word| sql.starts_with(word)) {
            return;
        }
        let is_in = |name: &&String| {
            let call = match name.split_once(" (") {
                Some((operator, _)) => operator.to_owned(),
                None if name.starts_with("cast ") => "CAST(".to_owned(),
                None => name.split_inclusive('(').next().unwrap_or(name).to_owned(),
            };
            sql.contains(&call)
        };
        self.worked.extend(used.iter().filter(is_in).cloned());
    }

    /// Notes an ERROR.
    pub fn note_error(&mut self, error: &DbError, step: &Step) {
        let code = error.code().code();
        *self.errors.entry(code.to_owned()).or_default() += 1;
        if ["08", "38", "53", "58", "57P"].iter().any(|class| code.starts_with(class)) {
            let said = || {
                let step: String = step.to_string().chars().take(300).collect();
                format!("{} ({}) by {step}", error.message(), error.detail().unwrap_or("-"))
            };
            self.outside.entry(code.to_owned()).or_insert_with(said);
        }
    }

    /// Notes the nodes of a plan.
    pub fn note_plan(&mut self, plan: &[String]) {
        self.plans += 1;
        // `->  Sort  (cost=…`, of which the name is wanted, without what it is of.
        let name = |line: &String| {
            let (name, _) = line.trim_start().trim_start_matches("->").split_once("  (cost")?;
            let name = name.trim();
            let name = name.split(" on ").next().unwrap_or(name).split(" using ").next().unwrap_or(name);
            Some(name.to_owned())
        };
        let names: BTreeSet<String> = plan.iter().filter_map(name).collect();
        names.into_iter().for_each(|name| *self.nodes.entry(name).or_default() += 1);
    }

    /// Notes a failure; gives whether there were few of its kind before.
    pub fn note_failure(&mut self, why: &str, failure: String) -> bool {
        let line = why.lines().next().unwrap_or_default();
        let kind = line.chars().filter(|letter| !letter.is_ascii_digit()).take(120).collect();
        let count = self.kinds.entry(kind).or_default();
        *count += 1;
        let is_new = *count <= FEW;
        if is_new {
            self.failures.push(failure);
        }
        is_new
    }

    /// What was never called.
    pub fn untried(&self) -> Vec<&str> {
        self.all.difference(&self.tried).map(String::as_str).collect()
    }
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: u64 = self.errors.values().sum();
        writeln!(
            f,
            "{} cases, {} statements: {} answered, {failed} errors",
            self.cases, self.statements, self.answered
        )?;
        writeln!(f, "errors by SQLSTATE: {}", counts(&self.errors))?;
        self.outside.iter().try_for_each(|(code, said)| writeln!(f, "  {code}: {said}"))?;
        writeln!(f, "{} plans with: {}", self.plans, counts(&self.nodes))?;
        let (tried, worked, all) = (self.tried.len(), self.worked.len(), self.all.len());
        writeln!(
            f,
            "functions, operators and casts: {tried} of {all} called, {worked} in statements without an error"
        )?;
        writeln!(f, "never called: {:?}", self.untried())?;
        writeln!(f, "never without an error: {:?}", self.all.difference(&self.worked).collect::<Vec<_>>())?;
        writeln!(f, "longest beyond its timeout: {:?} by {}", self.late.0, self.late.1)?;
        writeln!(f, "the engine was started anew {} times", self.restarts)?;
        write!(f, "{} failures: {}", self.kinds.values().sum::<u64>(), counts(&self.kinds))
    }
}
