//! What a query reads: something named `i` with the columns `id`, `category`, `price` and `features`.

use super::expression::Maker;
use super::tables::NAMES;

impl Maker<'_> {
    /// What follows FROM.
    pub fn source(&mut self) -> String {
        let name = self.one_of(&NAMES);
        let other = self.one_of(&NAMES);
        let sample = self.dice.below(80);
        match self.dice.below(24) {
            0 => format!("(SELECT id, category, price, features FROM {name} WHERE price > 2) i"),
            1 => format!(
                "(SELECT id, category, price, features::grnet_features FROM {name} UNION ALL \
                 SELECT id, category, price, features FROM {other}) i"
            ),
            2 => format!("{name} i TABLESAMPLE BERNOULLI ({sample})"),
            3 => format!("{name} i JOIN stock s USING (id)"),
            4 => format!("{name} i LEFT JOIN {other} j ON j.features = i.features"),
            5 => format!("{name} i FULL JOIN {other} j USING (id, category, price, features)"),
            6 => format!("{name} i CROSS JOIN LATERAL (SELECT * FROM {other} x WHERE x.id = i.id LIMIT 2) j"),
            7 => format!("likes({}, {}) i", self.leaf("grnet_features", false), self.dice.below(9)),
            8 => format!(
                "grnet_search(NULL::item, {}, {}, {}) i",
                self.leaf("grnet_features", false),
                self.dice.below(30),
                self.leaf("integer", false)
            ),
            9 => "(SELECT (it).features, id, id AS category, id AS price FROM pairs) i".to_owned(),
            10 => "\"Odd %s Sch\"\"ema\".\"It'em %I\" i (id, category, price, features)".to_owned(),
            11 => format!(
                "(VALUES (1, 2, 3, {}), (2, 3, 4, {})) i (id, category, price, features)",
                self.leaf("grnet_features", false),
                self.leaf("grnet_features", false)
            ),
            12 => format!("ONLY {name} i"),
            13 => format!("(SELECT DISTINCT ON (category) * FROM {name} ORDER BY category, id) i"),
            14 => format!(
                "(SELECT 1 AS id, 2 AS category, 3 AS price, f AS features FROM unnest({}) f) i",
                self.leaf("grnet_features[]", false)
            ),
            15 => format!("(SELECT * FROM {name} ORDER BY features <-> pool.f(1) LIMIT {sample}) i"),
            16 => "jsonb_populate_recordset(NULL::item, (SELECT jsonb_agg(item) FROM item WHERE id < 9)) i".to_owned(),
            _ => format!("{name} i"),
        }
    }

    /// A condition, or none.
    pub fn filter(&mut self) -> String {
        match self.dice.below(12) {
            0 => " WHERE i.price > 5".to_owned(),
            1 => " WHERE i.category = 2".to_owned(),
            2 => format!(" WHERE {} > 0.2", self.score()),
            3 => format!(" WHERE {}", self.expression("boolean", 3, true)),
            4 => format!(" WHERE i.features = {}", self.leaf("grnet_features", false)),
            5 => format!(" WHERE i.features IN (SELECT features FROM {} WHERE id < 9)", self.one_of(&NAMES)),
            6 => format!(" WHERE i.features = ANY ({})", self.leaf("grnet_features[]", false)),
            7 => " WHERE i.features NOT IN (SELECT f FROM question)".to_owned(),
            8 => format!(" WHERE EXISTS (SELECT FROM {} j WHERE j.features = i.features)", self.one_of(&NAMES)),
            _ => String::new(),
        }
    }

    /// How many rows.
    pub fn limit(&mut self) -> String {
        match self.dice.below(8) {
            0 => String::new(),
            1 => " LIMIT (SELECT count(*) FROM class)".to_owned(),
            2 => format!(" OFFSET {} LIMIT {}", self.dice.below(9), self.dice.below(20)),
            3 => " FETCH FIRST 3 ROWS WITH TIES".to_owned(),
            4 => format!(" LIMIT {}", self.expression("integer", 1, false)),
            _ => format!(" LIMIT {}", self.dice.below(30)),
        }
    }
}
