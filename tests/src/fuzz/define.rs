//! Random statements that change definitions: triggers, indexes, tables, columns.

use super::expression::Maker;
use super::tables::{NAMES, WRITTEN};

impl Maker<'_> {
    /// A trigger with odd arguments, and rows for it.
    pub fn trigger(&mut self) -> Vec<String> {
        let on = self.one_of(&["near", "clothed", "two", "pairs", "part", "seen", "held", "made", "item"]);
        let when = self.one_of(&[
            "BEFORE INSERT OR UPDATE",
            "AFTER INSERT",
            "BEFORE DELETE",
            "INSTEAD OF UPDATE",
            "BEFORE UPDATE OF features",
            "BEFORE TRUNCATE",
        ]);
        let each = self.one_of(&["FOR EACH ROW", "FOR EACH ROW", "FOR EACH STATEMENT"]);
        let arguments = self.one_of(&[
            "",
            "'image', 'features'",
            "'features', 'image'",
            "'image', 'features', 'id'",
            "'no', 'such'",
            "'image', 'features', 'image', 'x'",
            "'image', 'f'",
            "'it', 'them'",
            "'image', 'features', NULL",
            "'%s', '%n'",
            "'source', 'features'",
            "'image', 'features', 'model', 'tiny'",
        ]);
        let (insert, update, features) = (self.insert(), self.update(), self.leaf("grnet_features", false));
        vec![
            format!(
                "BEGIN; CREATE TRIGGER fuzz {when} ON {on} {each} EXECUTE FUNCTION grnet_features_trigger({arguments})"
            ),
            format!("SAVEPOINT s; INSERT INTO {on} (id) VALUES (77)"),
            format!("ROLLBACK TO s; UPDATE {on} SET features = {features}"),
            format!("ROLLBACK TO s; {insert}"),
            format!("ROLLBACK TO s; {update}"),
            format!("ROLLBACK TO s; ALTER TABLE {on} DROP COLUMN features"),
            format!("INSERT INTO {on} (id) VALUES (78)"),
            "ROLLBACK".to_owned(),
        ]
    }

    /// An index of a score, or of what can have none.
    pub fn index(&mut self) -> Vec<String> {
        let (on, features) = (self.one_of(&NAMES), self.leaf("grnet_features", false));
        let what = match self.dice.below(8) {
            0 => format!("((features <-> {features}))"),
            1 => "USING hash (features)".to_owned(),
            2 => "(features)".to_owned(),
            3 => "USING hnsw ((grnet_global(features)::vector(8)) vector_ip_ops)".to_owned(),
            4 => "USING hnsw ((grnet_global(features)::halfvec(8)) halfvec_ip_ops)".to_owned(),
            5 => "((grnet_info(features)))".to_owned(),
            6 => format!("(id) WHERE grnet_score(features, {features}) > 0.3"),
            _ => "((grnet_global(features)), (grnet_score(features, features)))".to_owned(),
        };
        let query = self.ranked();
        vec![
            "BEGIN".to_owned(),
            format!("CREATE INDEX fuzz_index ON {on} {what}"),
            format!("SET LOCAL enable_seqscan = off; SET LOCAL grnet.shortlist = {}", self.dice.below(20)),
            query,
            format!("SELECT id FROM {on} WHERE (features <-> {features}) < 0.5"),
            self.one_of(&[
                "REINDEX INDEX fuzz_index",
                "DROP INDEX fuzz_index",
                "ALTER INDEX fuzz_index RENAME TO \"fuzz %s\"",
            ])
            .to_owned(),
            "ROLLBACK".to_owned(),
        ]
    }

    /// A table whose definition has features in it.
    pub fn table(&mut self) -> Vec<String> {
        let (any, features) = (self.any(3, false), self.leaf("grnet_features", false));
        let make = match self.dice.below(6) {
            0 => format!(
                "CREATE TABLE fuzz_table (id int, features grnet_features DEFAULT {features}, CHECK ((features <-> {features}) < 3))"
            ),
            1 => format!(
                "CREATE TABLE fuzz_table (id int, features grnet_features, s float8 GENERATED ALWAYS AS (grnet_score(features, {features})) STORED)"
            ),
            2 => "CREATE TABLE fuzz_table (id int, features grnet_features PRIMARY KEY)".to_owned(),
            3 => "CREATE TABLE fuzz_table (id int, features grnet_features, EXCLUDE USING hash (features WITH =))"
                .to_owned(),
            4 => format!("CREATE TABLE fuzz_table AS SELECT 1 AS id, {features} AS features, {any} AS a"),
            _ => "CREATE TABLE fuzz_table (id int, features grnet_features) PARTITION BY LIST (features)".to_owned(),
        };
        let query = self.ranked();
        vec![
            format!("BEGIN; {make}"),
            "INSERT INTO fuzz_table (id, features) SELECT id, features FROM item".to_owned(),
            format!(
                "INSERT INTO fuzz_table (id) VALUES (1); CREATE STATISTICS fuzz_s ON (features <-> {features}), id FROM fuzz_table; ANALYZE fuzz_table"
            ),
            query,
            "ROLLBACK".to_owned(),
        ]
    }

    /// What is done to tables now and then.
    pub fn maintenance(&mut self) -> String {
        let on = self.one_of(&WRITTEN);
        match self.dice.below(7) {
            0 => format!("VACUUM (FULL) {on}"),
            1 => format!("ANALYZE {on}"),
            2 => format!("REINDEX TABLE {on}"),
            3 => format!("VACUUM {on}"),
            4 => "REFRESH MATERIALIZED VIEW CONCURRENTLY seen".to_owned(),
            5 => "REFRESH MATERIALIZED VIEW seen".to_owned(),
            _ => "CLUSTER near USING near_pkey".to_owned(),
        }
    }

    /// A column that changes under a prepared statement.
    pub fn columns(&mut self) -> Vec<String> {
        let on = self.one_of(&["near", "part", "clothed", "held", "by_hash"]);
        let change = self.one_of(&[
            "ALTER COLUMN features TYPE text",
            "ALTER COLUMN features TYPE bytea USING grnet_features_send(features)",
            "RENAME COLUMN features TO \"%s\"",
            "ALTER COLUMN features SET STORAGE PLAIN",
            "ADD COLUMN more grnet_features DEFAULT pool.f(1)",
            "DROP COLUMN features",
            "ALTER COLUMN features TYPE grnet_features USING grnet_quantize(features)",
            "ALTER COLUMN features SET NOT NULL",
            "ALTER COLUMN features TYPE real[] USING features::real[]",
            "ALTER COLUMN features SET COMPRESSION lz4",
            "DROP COLUMN category",
        ]);
        let mut all = vec![
            "BEGIN".to_owned(),
            format!("PREPARE p AS SELECT id FROM {on} ORDER BY features <-> pool.f(1) LIMIT 3"),
            "EXECUTE p".to_owned(),
        ];
        all.push(format!("ALTER TABLE {on} {change}"));
        all.push("SAVEPOINT a; EXECUTE p".to_owned());
        all.push(format!("ROLLBACK TO a; {}", self.ranked()));
        all.push("ROLLBACK".to_owned());
        all.push("DEALLOCATE ALL".to_owned());
        all
    }
}
