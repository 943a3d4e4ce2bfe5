//! Random SELECTs in odd plans.

use super::expression::Maker;
use super::tables::NAMES;

impl Maker<'_> {
    /// A query.
    pub fn query(&mut self) -> String {
        match self.dice.below(22) {
            0 => format!("SELECT {}", self.any(4, false)),
            1 | 2 => self.called(),
            3 => self.set_in_select_list(),
            4 => self.window(),
            5 => self.grouped(),
            6 => self.aggregate(),
            7 => self.compound(),
            8 => self.lateral(),
            9 => self.with(),
            10 => self.distinct(),
            11 => self.self_join(),
            12 => self.records(),
            13 | 14 => {
                let shape = if self.dice.once_in(2) { self.dice.next_shape() } else { self.dice.next_join() };
                self.filled(&shape.sql)
            }
            15 => {
                let shape = self.dice.next_of_few();
                self.filled(&shape.sql)
            }
            16 => {
                let inner = self.ranked();
                format!("SELECT x, count(*) OVER () FROM ({inner}) x ORDER BY 1 LIMIT 7")
            }
            _ => self.ranked(),
        }
    }

    /// The SQL of a shape, with values in the places of its parameters.
    fn filled(&mut self, sql: &str) -> String {
        sql.replace("$1", &self.leaf("grnet_features", false)).replace("$2", &self.dice.below(40).to_string())
    }

    /// Rows in the order of a score.
    pub fn ranked(&mut self) -> String {
        let (source, filter, score) = (self.source(), self.filter(), self.score());
        let (any, more, limit) = (self.any(3, true), self.any(2, true), self.limit());
        let direction = self.one_of(&["", "", "", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST", " USING <"]);
        let select = match self.dice.below(6) {
            0 => "*".to_owned(),
            1 => "i".to_owned(),
            2 => format!("i.id, {score}, {score}"),
            3 => format!("i.id, {any}"),
            4 => format!("{any}, {more}, i.features"),
            _ => "i.id".to_owned(),
        };
        let (before, after) = (self.one_of(&["", "", "", "i.category, "]), self.one_of(&["", "", ", i.id", ", 1"]));
        let lock =
            self.one_of(&["", "", "", "", " FOR UPDATE OF i", " FOR SHARE SKIP LOCKED", " FOR KEY SHARE NOWAIT"]);
        format!("SELECT {select} FROM {source}{filter} ORDER BY {before}{score}{direction}{after}{limit}{lock}")
    }

    /// Any function where functions may stand.
    fn called(&mut self) -> String {
        if self.dice.once_in(3) {
            let (_, call) = self.any_call(3, true);
            let (source, filter) = (self.source(), self.filter());
            return format!("SELECT {call} FROM {source}{filter} LIMIT 5");
        }
        let (function, call) = self.any_call(3, false);
        match self.dice.below(6) {
            0 if function.is_set => format!("SELECT count(*), min(t::text), max(t::text) FROM {call} t"),
            1 => format!("SELECT * FROM {call} WITH ORDINALITY LIMIT 9"),
            2 => format!("SELECT * FROM ROWS FROM ({call}, generate_series(1, 3)) LIMIT 9"),
            3 => format!("SELECT * FROM class, LATERAL {call} x LIMIT 20"),
            4 => format!("SELECT ({call})::text"),
            _ => format!("SELECT {call}"),
        }
    }

    fn set_in_select_list(&mut self) -> String {
        let (source, filter) = (self.source(), self.filter());
        let (left, right) = (self.expression("grnet_features", 1, true), self.expression("grnet_features", 1, true));
        let set = match self.dice.below(5) {
            0 => format!("(grnet_explain({left}, {right})).*"),
            1 => format!("grnet_regions({left})"),
            2 => format!("unnest({left}::real[]), generate_series(1, 3)"),
            3 => format!("(grnet_regions({left})).value, grnet_explain({left}, {right})"),
            _ => format!("unnest(ARRAY[{left}, {right}])"),
        };
        let order = if self.dice.once_in(2) { format!(" ORDER BY {}", self.score()) } else { String::new() };
        format!("SELECT i.id, {set} FROM {source}{filter}{order} LIMIT 50")
    }

    fn compound(&mut self) -> String {
        let of = self.one_of(&["grnet_features", "double precision", "real[]", "text"]);
        let mut part = || {
            let (expression, source) = (self.expression(of, 2, true), self.source());
            let filter = self.filter();
            format!("(SELECT {expression} AS v FROM {source}{filter} LIMIT 30)")
        };
        let (one, two) = (part(), part());
        let with = self.one_of(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL", "EXCEPT"]);
        let order = self.one_of(&["", " ORDER BY 1", " LIMIT 5"]);
        format!("{one} {with} {two}{order}")
    }

    fn lateral(&mut self) -> String {
        let (source, filter, limit) = (self.source(), self.filter(), self.limit());
        let join = self.one_of(&["CROSS JOIN LATERAL", "LEFT JOIN LATERAL"]);
        let on = if join.starts_with("LEFT") { " ON true" } else { "" };
        let outer = self.one_of(&NAMES);
        let score = self.one_of(&[
            "i.features <-> q.features",
            "q.features <-> i.features",
            "grnet_score(q.features, i.features)",
        ]);
        format!(
            "SELECT q.id, s.* FROM (SELECT * FROM {outer} LIMIT 4) q {join} (SELECT i.id, {score} AS d FROM {source}{filter} ORDER BY {score}{limit}) s{on}"
        )
    }

    fn with(&mut self) -> String {
        let inner = self.ranked();
        let score = self.score();
        match self.dice.below(4) {
            0 => format!("WITH x AS MATERIALIZED ({inner}) SELECT * FROM x ORDER BY 1 LIMIT 5"),
            1 => format!("WITH x AS NOT MATERIALIZED ({inner}) SELECT count(*) FROM x, x y"),
            2 => format!(
                "WITH RECURSIVE i AS ((SELECT id, category, price, features, 0 AS n FROM item WHERE id = 5) UNION ALL \
                 (SELECT j.id, j.category, j.price, j.features, n + 1 FROM i JOIN LATERAL (SELECT * FROM near WHERE near.id <> i.id \
                 ORDER BY near.features <-> i.features LIMIT 1) j ON true WHERE n < 5)) SELECT id, {score} FROM i"
            ),
            _ => format!(
                "WITH x AS (UPDATE near SET price = price WHERE id < 5 RETURNING *) SELECT i.id, {score} FROM x i ORDER BY {score}"
            ),
        }
    }

    fn distinct(&mut self) -> String {
        let (source, filter, score) = (self.source(), self.filter(), self.score());
        match self.dice.below(4) {
            0 => format!(
                "SELECT DISTINCT ON (i.category) i.category, i.id FROM {source}{filter} ORDER BY i.category, {score}"
            ),
            1 => format!("SELECT DISTINCT i.features FROM {source}{filter}"),
            2 => format!("SELECT DISTINCT {score} AS d FROM {source}{filter} ORDER BY d"),
            _ => format!("SELECT DISTINCT i.features, i.category FROM {source}{filter} ORDER BY 2 LIMIT 5"),
        }
    }

    fn self_join(&mut self) -> String {
        let (one, two) = (self.one_of(&NAMES), self.one_of(&NAMES));
        let on = self.one_of(&[
            "i.features = j.features",
            "i.id = j.id",
            "(i.features <-> j.features) < 0.4",
            "i.features <> j.features AND i.id = j.id",
            "grnet_global(i.features) = grnet_global(j.features)",
        ]);
        let kind = self.one_of(&["JOIN", "LEFT JOIN", "FULL JOIN"]);
        let limit = self.limit();
        format!(
            "SELECT i.id, j.id, i.features <-> j.features FROM {one} i {kind} {two} j ON {on} ORDER BY i.features <-> j.features{limit}"
        )
    }

    fn records(&mut self) -> String {
        let (name, any) = (self.one_of(&NAMES), self.any(2, true));
        match self.dice.below(6) {
            0 => format!("SELECT (i::text)::{name} FROM {name} i LIMIT 9"),
            1 => format!("SELECT to_jsonb(i), row_to_json(i) FROM {name} i LIMIT 9"),
            2 => "SELECT (it::text)::pair, (them::text)::pair[], (them[1]).features FROM pairs".to_owned(),
            3 => format!("SELECT ROW({any}, i.features) IS NOT DISTINCT FROM ROW({any}, i.features) FROM {name} i"),
            4 => "SELECT it = it, hash_record(it), them = them FROM pairs ORDER BY it".to_owned(),
            _ => format!("SELECT (array_agg(i.features)::text)::grnet_features[] FROM {name} i"),
        }
    }
}
