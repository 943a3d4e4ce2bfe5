//! A case: a few statements that belong together.

use std::collections::BTreeSet;
use std::fmt;

use super::catalogue::Catalogue;
use super::expression::Maker;
use super::pool::Pool;
use super::session::quoted;
use super::step::Step;
use super::{Options, numbers_of};

/// Some steps, and what of the extension they use.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number in the run.
    pub number: u64,
    /// What is told to a session.
    pub steps: Vec<Step>,
    /// Functions, operators and casts in them.
    pub used: BTreeSet<String>,
    /// For a statement here and there, its plan.
    pub explained: Option<String>,
}

impl Case {
    /// The case of this number.
    pub fn make(options: &Options, number: u64, catalogue: &Catalogue, pool: &Pool, parallel: &str) -> Self {
        let dice = numbers_of(options.seed, number);
        let mut maker = Maker { dice, catalogue, pool, used: BTreeSet::new(), only: options.only.as_deref() };
        let mut explained = None;
        let mut steps: Vec<Step> = maker.settings(parallel).into_iter().map(Step::Sql).collect();
        match maker.dice.below(10) {
            0 | 1 => steps.extend(maker.writing().into_iter().map(Step::Sql)),
            2 => steps.extend(maker.bytes()),
            3 => {
                let sql = maker.query();
                let after = maker.dice.below(40);
                steps.extend([Step::Cancelled(sql.clone(), after), Step::Sql(sql)]);
            }
            4 => {
                let sql = maker.query();
                explained = Some(sql.clone());
                steps.push(Step::Sql(sql));
            }
            5 => {
                let (_, call) = maker.any_call(2, false);
                let limit = maker.dice.below(40) + 1;
                steps.extend([
                    Step::Sql(format!("SET statement_timeout = {limit}")),
                    Step::Sql(format!("SELECT {call}")),
                ]);
            }
            6 => {
                // Whatever a function does, it does in a transaction that is taken back.
                let (_, call) = maker.any_call(3, false);
                let sql = maker.query();
                steps.extend(["BEGIN".to_owned(), format!("SELECT {call}"), sql, "ROLLBACK".to_owned()].map(Step::Sql));
            }
            _ => steps.extend(maker.run_of().into_iter().map(Step::Sql)),
        }
        // Not twice the same, which would say little.
        if maker.dice.once_in(30) {
            let sql = steps.last().map(|step| quoted(step.sql())).unwrap_or_default();
            steps.push(Step::Sql(format!("SELECT query_to_xml({sql}, true, true, '')")));
        }
        Self { number, steps, used: maker.used, explained }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}
