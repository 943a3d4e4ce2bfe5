//! Random plans: settings of the planner, tables that seem to grow, and joins that are ordered by a score.

use crate::shapes::{Shape, Shapes};

/// Tables of [`next_join`], beside those of [`crate::shapes::TABLES`]: `stock` and `label` belong to items, `leaf` is
/// partitioned on two levels, `noted` has an index of its score.
pub const TABLES: &str = "
    CREATE TABLE stock AS SELECT g % 60 AS id, g % 10 AS colour, g AS amount, repeat('x', 200) AS note
        FROM generate_series(1, 600) g;
    CREATE INDEX ON stock (id);
    CREATE INDEX ON stock (colour, amount);
    CREATE TABLE label (id int PRIMARY KEY, name text);
    INSERT INTO label SELECT g, 'label ' || g FROM generate_series(1, 60) g;
    CREATE TABLE leaf (LIKE item) PARTITION BY RANGE (id);
    CREATE TABLE leaf_a PARTITION OF leaf FOR VALUES FROM (0) TO (20);
    CREATE TABLE leaf_b PARTITION OF leaf FOR VALUES FROM (20) TO (1000) PARTITION BY HASH (category);
    CREATE TABLE leaf_b0 PARTITION OF leaf_b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE leaf_b1 PARTITION OF leaf_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO leaf SELECT * FROM item;
    CREATE INDEX ON leaf (category);
    ANALYZE;
";

/// Tables that seem to grow.
const GROWING: [&str; 9] = ["item", "stock", "label", "class", "part_low", "part_rest", "leaf_a", "leaf_b0", "old"];

/// Settings that are on or off.
const SWITCHES: [&str; 14] = [
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_sort",
    "enable_incremental_sort",
    "enable_seqscan",
    "enable_indexscan",
    "enable_bitmapscan",
    "enable_material",
    "enable_memoize",
    "enable_gathermerge",
    "enable_partitionwise_join",
    "enable_parallel_append",
    "enable_parallel_hash",
];

impl Shapes {
    /// SQL that makes a table seem larger or smaller. The planner multiplies the pages that are there by the rows of a
    /// page that the catalogue tells, so a plan for a million rows runs over sixty.
    pub fn growth(&mut self) -> String {
        let table = GROWING[self.below(GROWING.len() as u64) as usize];
        // From 10 to 3 million, all sizes alike; in small steps near where a plan tips over.
        let rows = 10.0 * 10f64.powf(self.below(1_000) as f64 / 182.0);
        format!("UPDATE pg_class SET reltuples = {rows:.0}, relpages = greatest(relpages, 1) WHERE relname = '{table}'")
    }

    /// SQL that sets what the planner reckons with.
    pub fn planner_settings(&mut self) -> String {
        let mut sql = String::new();
        for switch in SWITCHES {
            sql += &format!("SET {switch} = {}; ", !self.once_in(7));
        }
        let mut number = |name: &str, choices: &[&str]| {
            let choice = choices[self.below(choices.len() as u64) as usize];
            sql += &format!("SET {name} = {choice}; ");
        };
        number("parallel_setup_cost", &["0", "10", "1000"]);
        number("parallel_tuple_cost", &["0", "0.001", "0.1"]);
        number("min_parallel_table_scan_size", &["0", "0", "'8MB'"]);
        number("min_parallel_index_scan_size", &["0", "'512kB'"]);
        number("max_parallel_workers_per_gather", &["0", "2", "4"]);
        number("random_page_cost", &["1.1", "4", "20"]);
        number("cpu_tuple_cost", &["0.001", "0.01", "0.1"]);
        number("work_mem", &["'64kB'", "'4MB'", "'64MB'"]);
        number("from_collapse_limit", &["1", "8"]);
        number("geqo_threshold", &["2", "12"]);
        number("grnet.shortlist", &["0", "5", "5", "5", "50"]);
        sql
    }

    /// The next join that is ordered by a score, by what comes before it, or in levels above it: for its plan, since
    /// its rows have no sure order.
    pub fn next_join(&mut self) -> Shape {
        let query = ["$1", "(SELECT f FROM question WHERE id = 1)", "(SELECT f FROM question WHERE id = 2)"]
            [self.below(3) as usize];
        let inner = self.join(query, false);
        let sql = match self.below(8) {
            0 => format!("SELECT count(*) FROM ({inner}) x"),
            1 => format!("WITH x AS MATERIALIZED ({inner}) SELECT * FROM x ORDER BY 1 LIMIT 5"),
            2 => format!("SELECT * FROM question q, LATERAL ({}) x", inner.replace(query, "q.f")),
            3 => format!("SELECT DISTINCT x FROM ({inner}) x LIMIT 9"),
            _ => inner,
        };
        let has_parameters = sql.contains('$');
        Shape { sql, has_parameters, unordered: true, scrolls: false }
    }

    /// The next join whose rows have an order that is sure.
    pub fn next_sure_join(&mut self) -> Shape {
        let sql = self.join("(SELECT f FROM question WHERE id = 2)", true);
        Shape { sql, has_parameters: false, unordered: false, scrolls: true }
    }

    fn join(&mut self, query: &str, sure: bool) -> String {
        let score = match self.below(4) {
            0 => format!("grnet_score({query}, i.features) DESC"),
            1 => format!("{query} <-> i.features"),
            _ => format!("i.features <-> {query}"),
        };
        // With what tells the rows of an item apart.
        let (from, own) = [
            ("item i JOIN stock s USING (id)", "s.amount"),
            ("item i JOIN stock s ON s.id = i.id JOIN label l ON l.id = i.id", "s.amount"),
            ("item i LEFT JOIN stock s ON s.id = i.id AND s.colour = 3", "s.amount"),
            ("leaf i JOIN stock s USING (id)", "s.amount"),
            ("part i JOIN leaf j USING (id) JOIN stock s ON s.id = i.id", "s.amount"),
            ("stock s JOIN leaf i USING (id) LEFT JOIN label l ON l.id = i.id", "s.amount"),
            ("(SELECT * FROM item UNION ALL SELECT * FROM leaf) i JOIN stock s USING (id)", "s.amount"),
            (
                "item i JOIN LATERAL (SELECT * FROM stock s WHERE s.id = i.id ORDER BY amount LIMIT 2) s ON true",
                "s.amount",
            ),
            ("leaf i CROSS JOIN (SELECT DISTINCT colour FROM stock) s", "s.colour"),
            ("item i FULL JOIN stock s ON s.id = i.id", "s.amount"),
        ][self.below(10) as usize];
        let filter = self.one_of(&[
            "",
            "WHERE s.colour = 2",
            "WHERE s.colour = 2 AND i.price > 3",
            "WHERE i.id IN (SELECT id FROM label WHERE name > 'label 3')",
            "WHERE i.category = 1",
            "WHERE s.colour < 4 AND NOT EXISTS (SELECT FROM class c WHERE c.category = i.category)",
        ]);
        let mut order = match self.below(5) {
            0 => score,
            1 => format!("{score}, i.id"),
            2 => format!("i.category, {score}"),
            3 => format!("s.colour, {score}, i.id"),
            _ => format!("i.id DESC, {score}"),
        };
        if sure {
            order += &format!(", i.id, {own}");
        }
        let limits = ["", "LIMIT 1", "LIMIT 20", "LIMIT 500", "LIMIT 20 OFFSET 400", "LIMIT 100000", "LIMIT $2"];
        let limit = self.one_of(if sure { &limits[..6] } else { &limits });
        let select = self.one_of(&["i.id", "i.id, s.colour", "i.id, md5(i.features::text)", "i"]);
        format!("SELECT {select} FROM {from} {filter} ORDER BY {order} {limit}")
    }
}
