//! Random SELECTs that group and count.

use super::expression::Maker;

impl Maker<'_> {
    /// Window functions over a score, or over features.
    pub fn window(&mut self) -> String {
        let (source, filter, score) = (self.source(), self.filter(), self.score());
        let frame = self.one_of(&[
            "",
            " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
            " RANGE BETWEEN 0.1 PRECEDING AND 0.1 FOLLOWING",
            " GROUPS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES",
        ]);
        let partition = self.one_of(&["", "PARTITION BY i.category ", "PARTITION BY i.features "]);
        let what = self.one_of(&[
            "row_number()",
            "rank()",
            "lag(i.features)",
            "first_value(i.features)",
            "count(*)",
            "array_agg(i.features)",
            "ntile(3)",
        ]);
        let order = if self.dice.once_in(2) { format!(" ORDER BY {score}, i.id") } else { String::new() };
        let limit = self.limit();
        format!("SELECT i.id, {what} OVER ({partition}ORDER BY {score}{frame}) FROM {source}{filter}{order}{limit}")
    }

    /// Groups by features, or of scores.
    pub fn grouped(&mut self) -> String {
        let (source, filter, score) = (self.source(), self.filter(), self.score());
        let keys = self.one_of(&[
            "i.features",
            "i.category",
            "GROUPING SETS ((i.features), (i.category), ())",
            "ROLLUP (i.category, i.features)",
            "CUBE (i.category, i.price)",
            "DISTINCT ROLLUP (i.category), i.features",
            "i.category, i.features",
        ]);
        let having = if self.dice.once_in(3) { format!(" HAVING min({score}) > 0") } else { String::new() };
        let order = self.one_of(&["", " ORDER BY 2", " ORDER BY 1, 2 DESC"]);
        format!("SELECT count(*), min({score}), array_agg(i.id) FROM {source}{filter} GROUP BY {keys}{having}{order}")
    }

    /// One row for all.
    pub fn aggregate(&mut self) -> String {
        let (source, filter, score, any) = (self.source(), self.filter(), self.score(), self.any(3, true));
        let what = match self.dice.below(9) {
            0 => format!("array_agg(i.features ORDER BY {score})"),
            1 => format!("string_agg(i.features::text, ',' ORDER BY {score}) FILTER (WHERE i.id > 3)"),
            2 => format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {score})"),
            3 => "count(DISTINCT i.features)".to_owned(),
            4 => format!("count(DISTINCT {score})"),
            5 => format!("best(i.features, {})", self.leaf("grnet_features", false)),
            6 => format!("jsonb_agg({any})"),
            7 => "array_agg(ARRAY[i.features])".to_owned(),
            _ => format!("max({score}), min({score}), sum(better(i.features, i.features))"),
        };
        format!("SELECT {what} FROM {source}{filter}")
    }
}
