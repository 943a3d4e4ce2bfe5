//! Random queries that are ordered by a score, of every shape that PostgreSQL plans in a way of its own.

/// Tables of [`Shapes`]' queries, all with the columns `id`, `category`, `price` and `features`, and `question` with
/// `id` and `f`. `image` is filled before with features in the order of `n`.
pub const TABLES: &str = "
    CREATE TABLE question AS SELECT n AS id, features AS f FROM image WHERE n <= 4;
    INSERT INTO question VALUES (5, NULL);
    CREATE TABLE item (id int PRIMARY KEY, category int, price int, features grnet_features);
    INSERT INTO item SELECT g, g % 5, (g * 37) % 11, CASE WHEN g % 9 > 0 THEN features END
        FROM generate_series(1, 60) g LEFT JOIN image ON n = g % 40;
    CREATE INDEX ON item (category);
    CREATE TABLE part (LIKE item) PARTITION BY LIST (category);
    CREATE TABLE part_low PARTITION OF part FOR VALUES IN (0, 1);
    CREATE TABLE part_high PARTITION OF part FOR VALUES IN (2, 3) PARTITION BY RANGE (id);
    CREATE TABLE part_high_a PARTITION OF part_high FOR VALUES FROM (MINVALUE) TO (30);
    -- Another order of columns than its parent's.
    CREATE TABLE part_high_b (features grnet_features, price int, id int NOT NULL, category int);
    ALTER TABLE part_high ATTACH PARTITION part_high_b FOR VALUES FROM (30) TO (MAXVALUE);
    CREATE TABLE part_rest PARTITION OF part DEFAULT;
    INSERT INTO part SELECT * FROM item;
    CREATE TABLE old (LIKE item);
    CREATE TABLE older (note text) INHERITS (old);
    INSERT INTO old SELECT * FROM item WHERE id < 20;
    INSERT INTO older SELECT i.*, 'note' FROM item i WHERE id >= 20;
    CREATE TABLE mixed AS SELECT * FROM item;
    UPDATE mixed SET features = grnet_make_features(array_fill(0.5::real, ARRAY[14 * 256]), 'base') WHERE id = 33;
    CREATE TABLE class AS SELECT g AS category, 'class ' || g AS name FROM generate_series(1, 4) g;
    CREATE VIEW shown AS SELECT i.*, name FROM item i JOIN class USING (category);
    CREATE FUNCTION asked(wanted int) RETURNS grnet_features LANGUAGE plpgsql STABLE PARALLEL SAFE AS
        'BEGIN RETURN (SELECT f FROM question WHERE id = wanted); END';
    CREATE FUNCTION drawn(wanted int) RETURNS grnet_features LANGUAGE plpgsql VOLATILE AS
        'BEGIN RETURN (SELECT f FROM question WHERE id = wanted); END';
    ANALYZE;
";

/// A random query.
#[derive(Debug, Clone)]
pub struct Shape {
    /// With `$1` (a value) and `$2` (a number) where `has_parameters`.
    pub sql: String,
    /// Whether it is a statement to be prepared.
    pub has_parameters: bool,
    /// Whether its rows have no order that is sure: they are to be compared as a set.
    pub unordered: bool,
    /// Whether a cursor may be declared for it.
    pub scrolls: bool,
}

/// What is ranked: a WITH clause, what follows FROM, whether its rows can be locked; and the filter, or any.
#[derive(Debug, Clone, Copy)]
struct Of {
    source: (&'static str, &'static str, bool),
    filter: Option<&'static str>,
}

/// Random queries from a seed.
#[derive(Debug)]
pub struct Shapes {
    state: u64,
}

impl Shapes {
    /// The queries of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `n` (SplitMix64).
    pub fn below(&mut self, n: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// The next query.
    pub fn next_shape(&mut self) -> Shape {
        match self.below(12) {
            0 => self.lateral(),
            1 => self.correlated(),
            2 => self.declined(),
            3 => self.with_ties(),
            _ => {
                let parameters = self.once_in(2);
                let sql = self.ranking(parameters, None);
                let (sql, unordered) = self.wrapped(sql);
                Shape { sql, has_parameters: parameters, unordered, scrolls: !unordered }
            }
        }
    }

    /// The next query of the few rows of `item` that pass a filter, of which the planner expects more.
    pub fn next_of_few(&mut self) -> Shape {
        let of = Of { source: ("", "item i", true), filter: Some("i.price + 0 < 2") };
        if self.once_in(6) {
            return self.lateral_of(of);
        }
        let parameters = self.once_in(2);
        let sql = self.ranking_of(of, parameters, None);
        let (sql, unordered) = self.wrapped(sql);
        Shape { sql, has_parameters: parameters, unordered, scrolls: !unordered }
    }

    /// A SELECT with an order that is sure.
    fn ranking(&mut self, parameters: bool, outer: Option<&str>) -> String {
        let of = Of { source: self.source(), filter: None };
        self.ranking_of(of, parameters, outer)
    }

    fn ranking_of(&mut self, of: Of, parameters: bool, outer: Option<&str>) -> String {
        let Of { source: (with, from, lockable), filter } = of;
        let query = self.question(parameters, outer);
        let score = self.score(&query);
        let mut select = String::from("i.id");
        for _ in 0..self.below(4) {
            let other = self.score(&query);
            let more = match self.below(8) {
                0 => score.clone(),
                1 => other,
                2 => format!("round(({score})::numeric, 9)"),
                3 => format!("{other} > 0.5 AND i.price > 3"),
                4 => "i.features IS NULL".to_owned(),
                5 => "md5(i.features::text)".to_owned(),
                6 => "i.category".to_owned(),
                _ => format!("CASE WHEN i.id % 2 = 0 THEN {score} END"),
            };
            select += &format!(", {more}");
        }
        let own = filter.map(|filter| format!(" WHERE {filter}{}", self.one_of(&["", "", " AND i.id % 3 <> 1"])));
        let filter = own.unwrap_or_else(|| match self.below(9) {
            0 => " WHERE i.price > 5".to_owned(),
            1 => " WHERE i.category = 2".to_owned(),
            2 => " WHERE i.features IS NOT NULL AND i.id % 3 <> 1".to_owned(),
            3 => format!(" WHERE {score} > 0.2"),
            4 => " WHERE i.category IN (SELECT category FROM class WHERE category > 2)".to_owned(),
            5 => " WHERE EXISTS (SELECT FROM question WHERE id = i.category)".to_owned(),
            6 => " WHERE false".to_owned(),
            _ => String::new(),
        });
        let mut first = self.one_of(&["", "", "", "i.category, ", "i.price DESC NULLS LAST, "]);
        let mut direction = self.one_of(&["", "", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]);
        // Few are mostly asked for in the order that a shortlist has.
        if of.filter.is_some() && !self.once_in(6) {
            first = "";
            direction = if score.starts_with("grnet_score") { " DESC NULLS LAST" } else { self.one_of(&["", " ASC"]) };
        }
        let limit = match self.below(7) {
            0 if of.filter.is_none() => String::new(),
            1 => " LIMIT 7 OFFSET 3".to_owned(),
            2 if parameters => " LIMIT $2".to_owned(),
            3 if parameters => " LIMIT 5 OFFSET $2".to_owned(),
            4 => " LIMIT (SELECT count(*) FROM class)".to_owned(),
            5 => " LIMIT 1000".to_owned(),
            _ => " LIMIT 10".to_owned(),
        };
        let lock =
            if lockable && outer.is_none() { self.one_of(&["", "", " FOR UPDATE OF i", " FOR SHARE"]) } else { "" };
        format!(
            "{with}SELECT {select} FROM {from}{filter} ORDER BY {first}{score}{direction}, i.id, i.category{limit}{lock}"
        )
    }

    /// A WITH clause, what follows FROM, and whether its rows can be locked.
    fn source(&mut self) -> (&'static str, &'static str, bool) {
        match self.below(24) {
            0..=3 => ("", "item i", true),
            4 | 5 => ("", "part i", true),
            6 => ("", "old i", true),
            7 => ("", "(SELECT * FROM item WHERE price > 2) i", false),
            8 => ("", "(SELECT * FROM item UNION ALL SELECT * FROM part) i", false),
            9 => ("", "(SELECT * FROM part ORDER BY price, id LIMIT 20) i", false),
            10 => ("", "item i JOIN class USING (category)", false),
            11 => ("", "part i LEFT JOIN class c ON c.category = i.category AND c.name <> 'class 2'", false),
            12 => ("", "part i JOIN item j ON j.id = i.id AND j.price < 8", false),
            13 => ("WITH i AS MATERIALIZED (SELECT * FROM item WHERE id > 4) ", "i", false),
            14 => ("", "shown i", false),
            15 => ("", "item i TABLESAMPLE bernoulli (60) REPEATABLE (7)", false),
            16 => ("", "mixed i", false),
            17 => (
                "",
                "(SELECT id, category, price, CASE WHEN price < 9 THEN features END AS features FROM item) i",
                false,
            ),
            // Columns that are computed below an outer join, also from another table's row.
            18 => (
                "",
                "class c LEFT JOIN (SELECT id, category, price, coalesce(features, asked(1)) AS features FROM part) i \
                        ON i.category = c.category",
                false,
            ),
            19 => (
                "",
                "question a LEFT JOIN LATERAL (SELECT id, category, coalesce(a.id, price) AS price, features \
                        FROM item) i ON i.category + 1 = a.id",
                false,
            ),
            20 => (
                "",
                "question a LEFT JOIN LATERAL (SELECT id, category, price, coalesce(features, a.f) AS features \
                        FROM part) i ON i.category + 1 = a.id",
                false,
            ),
            21 => ("", "part i JOIN part j USING (category, id)", false),
            22 => ("", "class c RIGHT JOIN part i ON c.category = i.category AND c.category > 1", false),
            _ => ("", "(SELECT id, category, max(price) AS price, features FROM item GROUP BY id) i", false),
        }
    }

    /// The side of a score that is the same for every row.
    fn question(&mut self, parameters: bool, outer: Option<&str>) -> String {
        if let Some(outer) = outer {
            return outer.to_owned();
        }
        if parameters && !self.once_in(4) {
            return "$1".to_owned();
        }
        let number = 1 + self.below(5);
        match self.below(8) {
            0 => format!("asked({number})"),
            1 => format!("drawn({number})"),
            2 => format!("coalesce((SELECT f FROM question WHERE id = {number}), asked(2))"),
            3 => "NULL::grnet_features".to_owned(),
            4 => format!("CASE WHEN {number} > 2 THEN asked({number}) ELSE asked(1) END"),
            _ => format!("(SELECT f FROM question WHERE id = {number})"),
        }
    }

    fn score(&mut self, query: &str) -> String {
        match self.below(6) {
            0 => format!("{query} <-> i.features"),
            1 => format!("grnet_score({query}, i.features)"),
            2 => format!("grnet_score(i.features, {query})"),
            3 => format!("grnet_distance(i.features, {query})"),
            _ => format!("i.features <-> {query}"),
        }
    }

    /// A ranking inside of something, and whether the order is lost there.
    fn wrapped(&mut self, sql: String) -> (String, bool) {
        // Rows cannot be locked inside.
        if sql.contains(" FOR ") {
            return (sql, false);
        }
        match self.below(10) {
            0 => (format!("SELECT * FROM ({sql}) s"), true),
            1 => (format!("WITH s AS MATERIALIZED ({sql}) SELECT * FROM s ORDER BY 1"), false),
            2 => (format!("SELECT ARRAY(SELECT id FROM ({sql}) s)"), false),
            3 => (format!("SELECT count(*), sum(id) FROM ({sql}) s"), false),
            4 => (format!("({sql}) UNION ALL (SELECT * FROM ({sql}) s LIMIT 2)"), true),
            _ => (sql, false),
        }
    }

    fn lateral(&mut self) -> Shape {
        let of = Of { source: self.source(), filter: None };
        self.lateral_of(of)
    }

    fn lateral_of(&mut self, of: Of) -> Shape {
        let inner = self.ranking_of(of, false, Some("q.f"));
        let join = self.one_of(&[", LATERAL", " CROSS JOIN LATERAL", " LEFT JOIN LATERAL"]);
        let on = if join.starts_with(" LEFT") { " ON true" } else { "" };
        let sql = format!("SELECT q.id, s.* FROM question q{join} ({inner}) s{on} WHERE q.id > 1");
        Shape { sql, has_parameters: false, unordered: true, scrolls: false }
    }

    fn correlated(&mut self) -> Shape {
        let inner = self.ranking(false, Some("q.f"));
        let sql = format!("SELECT q.id, ARRAY(SELECT id FROM ({inner}) s) FROM question q ORDER BY q.id");
        Shape { sql, has_parameters: false, unordered: false, scrolls: true }
    }

    /// Shapes that the node leaves to the plain plan.
    fn declined(&mut self) -> Shape {
        let query = self.question(false, None);
        let score = self.score(&query);
        let sql = match self.below(9) {
            0 => format!("SELECT DISTINCT {score} AS d FROM item i ORDER BY d"),
            1 => format!("SELECT category, min({score}) AS d FROM item i GROUP BY category ORDER BY d, category"),
            2 => format!("SELECT id, row_number() OVER (ORDER BY {score}, id) FROM item i ORDER BY id"),
            3 => format!("SELECT id, rank() OVER (ORDER BY {score}) FROM item i ORDER BY {score}, id LIMIT 9"),
            4 => format!("SELECT id, generate_series(1, 2) FROM item i ORDER BY {score}, id, 2 LIMIT 9"),
            5 => format!("SELECT id FROM item i ORDER BY -({score}), id LIMIT 9"),
            6 => {
                format!("SELECT id, {score} FROM item i UNION ALL SELECT id, {score} FROM part i ORDER BY 2, 1 LIMIT 9")
            }
            7 => "SELECT i.id, j.id FROM item i, item j WHERE j.id < 4 \
                  ORDER BY i.features <-> j.features, i.id, j.id LIMIT 9"
                .to_owned(),
            _ => format!("SELECT DISTINCT ON (category) category, id FROM part i ORDER BY category, {score}, id"),
        };
        Shape { sql, has_parameters: false, unordered: false, scrolls: false }
    }

    fn with_ties(&mut self) -> Shape {
        let (with, from, _) = self.source();
        let query = self.question(true, None);
        let score = self.score(&query);
        let direction = self.one_of(&["", " DESC"]);
        let sql =
            format!("{with}SELECT i.id, {score} FROM {from} ORDER BY {score}{direction} FETCH FIRST 9 ROWS WITH TIES");
        let has_parameters = query == "$1";
        Shape { sql, has_parameters, unordered: true, scrolls: false }
    }
}
