//! Random statements that change rows.

use super::expression::Maker;
use super::tables::{NAMES, WRITTEN};

impl Maker<'_> {
    /// Statements that write.
    pub fn writing(&mut self) -> Vec<String> {
        match self.dice.below(16) {
            0 | 1 => vec![self.insert()],
            2 => vec![self.update()],
            3 => vec![self.merge()],
            4 => vec![self.delete()],
            5 => self.trigger(),
            6 => self.index(),
            7 => self.table(),
            8 => vec![self.maintenance()],
            9 => self.columns(),
            _ => vec![self.photographed()],
        }
    }

    fn image(&mut self) -> String {
        self.leaf("bytea", false)
    }

    /// Rows with images into a table with the trigger.
    fn photographed(&mut self) -> String {
        let (image, again, id) = (self.image(), self.image(), self.dice.below(20));
        let (features, region) = (self.leaf("grnet_features", false), self.leaf("box", false));
        let conflict = self.one_of(&[
            "",
            " ON CONFLICT DO NOTHING",
            " ON CONFLICT (id) DO UPDATE SET image = excluded.image, price = held.price + 1",
            " ON CONFLICT (id) DO UPDATE SET features = excluded.features WHERE held.id > 2",
        ]);
        let returning =
            self.one_of(&["", " RETURNING *", " RETURNING id, features <-> features, grnet_info(features)"]);
        match self.dice.below(7) {
            0 => format!(
                "INSERT INTO held (id, image) VALUES ({id}, {image}), ({}, {again}){conflict}{returning}",
                id + 1
            ),
            1 => format!(
                "INSERT INTO held (id, image, region, features) VALUES ({id}, {image}, {region}, {features}){conflict}{returning}"
            ),
            2 => format!("UPDATE held SET image = {image} WHERE id = {}{returning}", id % 8),
            3 => format!("UPDATE held SET features = {features}, region = {region} WHERE id < {}{returning}", id % 4),
            4 => format!(
                "INSERT INTO halves (id, image, features) SELECT n, b, {features} FROM pool.image WHERE n BETWEEN {id} AND {}{}",
                id + 3,
                returning
            ),
            5 => format!("UPDATE halves SET id = id + {} WHERE id < 6{returning}", id % 5),
            _ => format!(
                "UPDATE held SET image = h.image, region = {region} FROM held h WHERE h.id = held.id + 1{returning}"
            ),
        }
    }

    /// Rows that come.
    pub fn insert(&mut self) -> String {
        let (to, from) = (self.one_of(&WRITTEN), self.one_of(&NAMES));
        let (id, features) = (self.dice.below(90), self.expression("grnet_features", 2, false));
        let conflict = self.one_of(&["", " ON CONFLICT DO NOTHING"]);
        let returning = self.one_of(&["", " RETURNING id, features = features", " RETURNING features"]);
        match self.dice.below(3) {
            0 => format!(
                "INSERT INTO {to} (id, category, price, features) VALUES ({id}, 1, 2, {features}){conflict}{returning}"
            ),
            1 => format!(
                "INSERT INTO {to} (id, category, price, features) SELECT id, category, price, features FROM {from} WHERE id % 10 = {}{conflict}{returning}",
                id % 10
            ),
            _ => {
                let score = self.score();
                format!(
                    "INSERT INTO {to} (id, category, price, features) SELECT id, category, price, features FROM {from} i ORDER BY {score} LIMIT 3{conflict}{returning}"
                )
            }
        }
    }

    /// Rows that change.
    pub fn update(&mut self) -> String {
        let (of, score) = (self.one_of(&WRITTEN), self.score());
        let features = self.expression("grnet_features", 2, true);
        let filter = self.filter();
        match self.dice.below(3) {
            0 => format!("UPDATE {of} i SET features = {features}{filter} RETURNING i.id, {score}"),
            1 => format!(
                "UPDATE {of} i SET features = j.features FROM (SELECT * FROM item ORDER BY features <-> pool.f(1) LIMIT 3) j WHERE j.id = i.id"
            ),
            _ => format!(
                "UPDATE {of} i SET (features, price) = (SELECT features, {} FROM item WHERE id = i.id){filter}",
                self.dice.below(9)
            ),
        }
    }

    fn delete(&mut self) -> String {
        let (of, score) = (self.one_of(&WRITTEN), self.score());
        let id = self.dice.below(70);
        match self.dice.below(3) {
            0 => format!("DELETE FROM {of} i WHERE i.id = {id} RETURNING i.*, {score}"),
            1 => {
                format!("DELETE FROM {of} i USING (SELECT id FROM item i ORDER BY {score} LIMIT 2) j WHERE i.id = j.id")
            }
            _ => format!(
                "WITH gone AS (DELETE FROM {of} i WHERE i.id = {id} RETURNING *) INSERT INTO near (id, category, price, features) SELECT id + 100, category, price, features FROM gone ON CONFLICT DO NOTHING"
            ),
        }
    }

    fn merge(&mut self) -> String {
        let to = self.one_of(&["near", "held", "clothed", "part", "brief"]);
        let (score, image) = (self.score(), self.image());
        let by = if to == "held" { format!("image = {image}") } else { "features = i.features".to_owned() };
        let values = if to == "held" {
            format!("(id, image) VALUES (i.id, {image})")
        } else {
            "(id, category, price, features) VALUES (i.id, 1, 1, i.features)".to_owned()
        };
        format!(
            "MERGE INTO {to} t USING (SELECT * FROM item i ORDER BY {score} LIMIT {}) i ON t.id = i.id \
             WHEN MATCHED AND (t.features <-> i.features) > 0.1 THEN UPDATE SET {by} WHEN MATCHED AND i.id = 3 THEN DELETE \
             WHEN NOT MATCHED THEN INSERT {values}",
            self.dice.below(12)
        )
    }
}
