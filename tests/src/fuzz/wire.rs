//! What comes as bytes: parameters in binary form, and COPY.

use super::expression::Maker;
use super::step::Step;
use super::tables::WRITTEN;
use super::value::damaged;

impl Maker<'_> {
    /// Steps that send bytes.
    pub fn bytes(&mut self) -> Vec<Step> {
        match self.dice.below(5) {
            0 => {
                let sql = self.query();
                let form = self.one_of(&["", " WITH (FORMAT binary)", " WITH (FORMAT csv, HEADER)"]);
                vec![Step::CopyOut(format!("COPY ({sql}) TO STDOUT{form}"))]
            }
            1 => vec![self.copied_in()],
            2 => self.back_and_forth(),
            _ => vec![self.parameters()],
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let value = &self.pool.values[self.dice.below(self.pool.values.len() as u64) as usize];
        if self.dice.once_in(3) { value.clone() } else { damaged(&mut self.dice, value) }
    }

    fn parameters(&mut self) -> Step {
        let sql = self.one_of(&[
            "SELECT $1::grnet_features",
            "SELECT grnet_info($1::grnet_features)",
            "SELECT i.id, i.features <-> $1::grnet_features FROM item i ORDER BY 2 LIMIT 5",
            "SELECT * FROM kinds i ORDER BY grnet_score($1::grnet_features, features) DESC LIMIT 5",
            "SELECT * FROM grnet_explain($1::grnet_features, $2::grnet_features)",
            "SELECT grnet_features_eq($1, $2), $1::grnet_features <-> $2, grnet_global_similarity($1, $2)",
            "SELECT grnet_regions($1::grnet_features), grnet_quantize($1)",
            "SELECT * FROM grnet_search(NULL::item, $1::grnet_features, 3, 2)",
            "INSERT INTO near (id, features) VALUES (3, $1) ON CONFLICT (id) DO UPDATE SET features = $2 RETURNING *",
            "INSERT INTO by_hash (id, features) VALUES (3, $1)",
            "SELECT grnet_global($1::grnet_features), grnet_region($1, 1, 1, 1)",
            "SELECT grnet_embed($1::bytea)",
            "SELECT grnet_register_model('fuzz', $1::bytea)",
            "SELECT grnet_match_map($1::bytea, $2::bytea)",
            "SELECT $1::real[], grnet_make_features($1, 'tiny')",
            "SELECT $1::text, grnet_embed(pool.b(1), $1::text)",
        ]);
        let count = if sql.contains("$2") { 2 } else { 1 };
        let values = (0..count)
            .map(|_| {
                if sql.contains("register_model") {
                    let model = self.pool.model.clone();
                    damaged(&mut self.dice, &model)
                } else if sql.contains("::bytea") {
                    let jpeg = self.pool.jpeg.clone();
                    damaged(&mut self.dice, &jpeg)
                } else {
                    self.value()
                }
            })
            .collect();
        Step::Parameters(sql.to_owned(), values)
    }

    fn copied_in(&mut self) -> Step {
        let to = self.one_of(&WRITTEN);
        if self.dice.once_in(2) {
            // The signature, no flags, no extension; then rows of an id and a value.
            let mut data = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
            for id in 0..self.dice.below(4) as i32 {
                let value = self.value();
                data.extend_from_slice(&[0, 2, 0, 0, 0, 4]);
                data.extend_from_slice(&(200 + id).to_be_bytes());
                data.extend_from_slice(&(value.len() as i32).to_be_bytes());
                data.extend_from_slice(&value);
            }
            data.extend_from_slice(&[0xff, 0xff]);
            if self.dice.once_in(4) {
                data = damaged(&mut self.dice, &data);
            }
            return Step::CopyIn(format!("COPY {to} (id, features) FROM STDIN WITH (FORMAT binary)"), data);
        }
        let mut data = String::new();
        for id in 0..self.dice.below(4) {
            data += &format!("{}\t{}\n", 200 + id, grnet_features::value::to_text(&self.value()));
        }
        let data = if self.dice.once_in(4) { damaged(&mut self.dice, data.as_bytes()) } else { data.into_bytes() };
        let more = if self.dice.once_in(2) { " WHERE (features <-> pool.f(1)) < 1" } else { "" };
        Step::CopyIn(format!("COPY {to} (id, features) FROM STDIN{more}"), data)
    }

    /// A table out and in again.
    fn back_and_forth(&mut self) -> Vec<Step> {
        let from = self.one_of(&WRITTEN);
        let form = self.one_of(&["", " WITH (FORMAT binary)", " WITH (FORMAT csv)"]);
        vec![
            Step::Sql("BEGIN; CREATE TEMP TABLE fuzz_copy (id int, features grnet_features)".to_owned()),
            Step::CopyAround(
                format!("COPY (SELECT id, features FROM {from}) TO STDOUT{form}"),
                format!("COPY fuzz_copy FROM STDIN{form}"),
            ),
            Step::Sql(format!("SELECT count(*) FROM fuzz_copy f JOIN {from} USING (id, features)")),
            Step::Sql("ROLLBACK".to_owned()),
        ]
    }
}
