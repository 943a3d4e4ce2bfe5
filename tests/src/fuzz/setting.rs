//! Settings that a case makes for itself.

use super::expression::Maker;

const OURS: [&str; 22] = [
    "grnet.shortlist = 5",
    "grnet.shortlist = 50",
    "grnet.shortlist = 1000000",
    "grnet.shortlist = 1",
    "grnet.shortlist = -1",
    "grnet.shortlist = 'x'",
    "grnet.enable_batch_scoring = off",
    "grnet.score_precision = 'i16'",
    "grnet.score_precision = 'i4'",
    "grnet.feature_dtype = 'i8'",
    "grnet.feature_dtype = NULL",
    "grnet.model = 'base'",
    "grnet.model = 'no such'",
    "grnet.model = ''",
    "grnet.model = 'größe %s'",
    "grnet.embed_timeout = '10ms'",
    "grnet.embed_timeout = '1h'",
    "grnet.max_image_bytes = '1kB'",
    "grnet.max_image_pixels = 1000",
    "grnet.engine_device = 'cuda:9'",
    "grnet.unheard_of = 1",
    "grnet.max_image_pixels = 99999999999",
];

const OTHERS: [&str; 18] = [
    "work_mem = '64kB'",
    "hash_mem_multiplier = 1",
    "jit = on",
    "jit_above_cost = 0",
    "statement_timeout = 3",
    "statement_timeout = 30",
    "statement_timeout = 1",
    "plan_cache_mode = force_generic_plan",
    "lock_timeout = 50",
    "bytea_output = 'escape'",
    "extra_float_digits = -5",
    "search_path = pg_catalog, public",
    "search_path = ''",
    "row_security = off",
    "cursor_tuple_fraction = 0",
    "transaction_isolation = 'serializable'",
    "default_transaction_read_only = on",
    "client_encoding = 'LATIN1'",
];

impl Maker<'_> {
    /// Statements that set something. `parallel`: the name that the server has for planning in workers by force.
    pub fn settings(&mut self, parallel: &str) -> Vec<String> {
        let mut all = Vec::new();
        if self.dice.once_in(2) {
            all.push(self.dice.planner_settings());
        }
        for _ in 0..self.dice.below(3) {
            all.push(format!("SET {}", self.one_of(&OURS)));
        }
        if self.dice.once_in(5) {
            all.push(format!("SET {}", self.one_of(&OTHERS)));
        }
        if self.dice.once_in(6) {
            all.push(format!("SET {parallel} = {}", self.one_of(&["on", "regress", "off"])));
        }
        if self.dice.once_in(10) {
            all.push(format!("SET ROLE {}", self.one_of(&["reader", "stranger", "owner", "pg_read_all_data"])));
        }
        // A table seems to grow within the case's own transaction.
        if self.dice.once_in(4) {
            all.insert(0, self.dice.growth());
        }
        all
    }
}
