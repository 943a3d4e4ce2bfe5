//! What a session does with a query: transactions, cursors, prepared statements, functions, plans.

use super::expression::Maker;
use crate::differential;

impl Maker<'_> {
    /// A query run in one of many ways.
    pub fn run_of(&mut self) -> Vec<String> {
        let sql = self.query();
        match self.dice.below(24) {
            15 | 16 => self.other_model(),
            0 => self.cursor(&sql),
            1 => self.prepared(),
            2 => self.shaped(),
            3 => {
                vec![format!("DO $do$ DECLARE r record; BEGIN FOR r IN {sql} LOOP PERFORM r::text; END LOOP; END $do$")]
            }
            4 => vec![self.caught(&sql)],
            5 => {
                let other = self.query();
                vec![
                    format!("BEGIN; SAVEPOINT a; {sql}"),
                    "ROLLBACK TO a".to_owned(),
                    other,
                    "RELEASE a".to_owned(),
                    "ROLLBACK TO a; SELECT 1".to_owned(),
                    sql,
                    "COMMIT".to_owned(),
                ]
            }
            6 => vec![format!(
                "EXPLAIN (ANALYZE, VERBOSE, COSTS, BUFFERS, FORMAT {}) {sql}",
                self.one_of(&["TEXT", "JSON", "XML", "YAML"])
            )],
            7 => vec![format!("EXPLAIN (VERBOSE, SETTINGS, GENERIC_PLAN) {sql}")],
            8 => vec![
                format!("CREATE TABLE fuzz_made AS {sql}"),
                "SELECT count(*) FROM fuzz_made".to_owned(),
                "DROP TABLE IF EXISTS fuzz_made".to_owned(),
            ],
            9 => vec![
                format!("CREATE VIEW fuzz_view AS {sql}"),
                "SELECT pg_get_viewdef('fuzz_view')".to_owned(),
                "SELECT * FROM fuzz_view LIMIT 9".to_owned(),
                "DROP VIEW IF EXISTS fuzz_view".to_owned(),
            ],
            10 => vec![format!("DISCARD {}", self.one_of(&["PLANS", "ALL", "TEMP", "SEQUENCES"])), sql],
            11 => vec![
                format!(
                    "CREATE OR REPLACE FUNCTION pg_temp.fuzz() RETURNS SETOF record LANGUAGE {} AS $f$ {sql} $f$",
                    self.one_of(&["sql", "sql STABLE"])
                ),
                "SELECT pg_temp.fuzz()".to_owned(),
                "SELECT count(*) FROM (SELECT pg_temp.fuzz()) x".to_owned(),
            ],
            12 => vec![
                format!("SELECT * FROM ({sql}) x LIMIT 3"),
                format!("SELECT EXISTS ({sql})"),
                format!("SELECT ARRAY({sql})"),
            ],
            13 => vec![format!("EXPLAIN (ANALYZE, MEMORY, SERIALIZE BINARY) {sql}")],
            14 => vec![format!("SELECT query_to_xml({}, true, false, '')", quoted(&sql))],
            _ => vec![sql],
        }
    }

    fn cursor(&mut self, sql: &str) -> Vec<String> {
        let scroll = self.one_of(&["SCROLL", "SCROLL", "", "NO SCROLL", "INSENSITIVE", "SCROLL BINARY"]);
        let hold = self.one_of(&["", "", "WITH HOLD"]);
        let binary = if scroll.contains("BINARY") { "BINARY SCROLL" } else { scroll };
        let mut all = vec!["BEGIN".to_owned(), format!("DECLARE c {binary} CURSOR {hold} FOR {sql}")];
        for _ in 0..self.dice.below(7) {
            let direction = self.one_of(&[
                "3",
                "BACKWARD 2",
                "ABSOLUTE 4",
                "PRIOR",
                "ALL",
                "BACKWARD ALL",
                "LAST",
                "FIRST",
                "RELATIVE -3",
                "0",
                "ABSOLUTE -2",
            ]);
            all.push(format!("FETCH {direction} FROM c"));
            if self.dice.once_in(9) {
                all.push("MOVE 5 FROM c; UPDATE near SET price = price + 1 WHERE CURRENT OF c".to_owned());
            }
            if self.dice.once_in(9) {
                all.push("COMMIT; FETCH 2 FROM c".to_owned());
            }
        }
        all.push("CLOSE ALL".to_owned());
        all.push(self.one_of(&["COMMIT", "ROLLBACK"]).to_owned());
        all
    }

    fn shaped(&mut self) -> Vec<String> {
        let shape = if self.dice.once_in(3) { self.dice.next_sure_join() } else { self.dice.next_shape() };
        let values: Vec<String> =
            self.pool.values.iter().take(9).map(|value| grnet_features::value::to_text(value)).collect();
        differential::statements(&mut self.dice, &shape, &values)
    }

    fn prepared(&mut self) -> Vec<String> {
        let (source, filter, limit) = (self.source(), self.filter(), self.dice.below(3));
        let limit = ["", " LIMIT $2", " LIMIT 5"][limit as usize];
        let mode = self.one_of(&["auto", "force_generic_plan", "force_custom_plan"]);
        let score = self.one_of(&[
            "i.features <-> $1",
            "$1 <-> i.features",
            "grnet_score(i.features, $1)",
            "grnet_score(grnet_quantize($1), i.features)",
        ]);
        let mut all = vec![
            format!("SET plan_cache_mode = {mode}"),
            format!(
                "PREPARE p (grnet_features, int) AS SELECT i.id, {score}, $2 FROM {source}{filter} ORDER BY {score}{limit}"
            ),
        ];
        for _ in 0..self.dice.below(8) {
            let value = self.expression("grnet_features", 1, false);
            let number = self.leaf("integer", false);
            all.push(format!("EXECUTE p ({value}, {number})"));
            if self.dice.once_in(9) {
                all.push(
                    self.one_of(&[
                        "ANALYZE near",
                        "DISCARD PLANS",
                        "SET grnet.shortlist = 3",
                        "SET grnet.enable_batch_scoring = off",
                    ])
                    .to_owned(),
                );
            }
        }
        all.push("DEALLOCATE ALL".to_owned());
        all
    }

    fn caught(&mut self, sql: &str) -> String {
        let other = self.query();
        format!(
            "DO $do$ DECLARE r record; n int := 0; BEGIN FOR k IN 1..3 LOOP BEGIN EXECUTE {} INTO r; n := n + 1; \
             EXCEPTION WHEN OTHERS THEN BEGIN EXECUTE {}; EXCEPTION WHEN OTHERS THEN n := -1; END; END; END LOOP; END $do$",
            quoted(sql),
            quoted(&other)
        )
    }
}

/// Text as a literal.
pub fn quoted(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
