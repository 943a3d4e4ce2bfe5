//! The node `GrnetShortlist`: as many rows as without it, each answer the beginning of a longer one, nothing left behind.

use std::thread;
use std::time::Duration;

use grnet_tests::differential::{number, outcome, statements, values, with_tables};
use grnet_tests::eventually;
use grnet_tests::photos::bmp;
use grnet_tests::plans::{analyzed, custom, rows};
use grnet_tests::processes::kilobytes;
use grnet_tests::server::{START, Server, backend_of, counter};
use grnet_tests::shapes::Shapes;
use postgres::Client;

/// Rows of `item`: one in 50 has no features, and no index of vectors has such a row.
const ITEMS: usize = 2_000;

/// A server with tables `item` (with an index for shortlists) and `question`, values by chance, of the model tiny.
fn server() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector;
             SELECT setseed(0.25);
             CREATE FUNCTION chance() RETURNS grnet_features LANGUAGE sql VOLATILE AS
                 $$ SELECT grnet_make_features(array_agg((random() - 0.5)::real), 'tiny') FROM generate_series(1, 40) $$;
             CREATE TABLE item (id int PRIMARY KEY, bucket int, features grnet_features);
             INSERT INTO item SELECT g, g % 1000, CASE WHEN g % 50 > 0 THEN chance() END FROM generate_series(1, {ITEMS}) g;
             CREATE TABLE question AS SELECT g AS n, chance() AS f FROM generate_series(1, 5) g;
             SELECT grnet_create_index('item');"
        ))
        .expect("tables");
    client.batch_execute("VACUUM ANALYZE item").expect("an owner may");
    client.batch_execute("SET grnet.shortlist = 100").expect("a setting");
    (server, client)
}

const ORDER: &str = "ORDER BY features <-> (SELECT f FROM question WHERE n = 1)";

/// The rows of a query, which must be run by the node.
fn by_the_node(client: &mut Client, sql: &str) -> Vec<String> {
    let plan = analyzed(client, sql);
    assert!(custom(&plan, "GrnetShortlist").is_some(), "{sql}\n{plan:#}");
    rows(client, sql)
}

#[test]
fn as_many_rows_come_as_there_are_and_more_begin_with_the_same() {
    let (_server, mut client) = server();
    // The planner thinks that a third passes, whatever does.
    for below in [1000, 500, 100, 10, 1, 0] {
        let matching: usize = rows(&mut client, &format!("SELECT count(*) FROM item WHERE bucket < {below}"))[0]
            .parse()
            .expect("a count");
        let mut ask = |k: &str| {
            by_the_node(&mut client, &format!("SELECT id FROM item WHERE bucket + 0 < {below} {ORDER} LIMIT {k}"))
        };
        let all = ask("100000");
        assert_eq!(all.len(), matching, "bucket < {below}");
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), matching, "each row comes once");
        for k in [1, 20, 99, 100, 101, 150, 1_500] {
            assert_eq!(ask(&k.to_string()), all[..k.min(matching)], "{k} of {matching}");
        }
        assert_eq!(ask("20 OFFSET 95"), all[95.min(matching)..115.min(matching)]);
        // With further keys too, of every kind.
        for keys in ["id", "bucket % 7 DESC NULLS LAST, id::text COLLATE \"C\" DESC, id"] {
            let mut ask = |k: usize| {
                let sql = format!("SELECT id FROM item WHERE bucket + 0 < {below} {ORDER}, {keys} LIMIT {k}");
                by_the_node(&mut client, &sql)
            };
            let all = ask(100_000);
            assert_eq!(all.len(), matching, "bucket < {below}, {keys}");
            for k in [1, 20, 99, 100, 101, 105, 150, 1_500] {
                assert_eq!(ask(k), all[..k.min(matching)], "{k} of {matching} by {keys}");
            }
        }
    }
}

#[test]
fn a_shortlist_is_ranked_by_the_graph_and_stands_before_all_others() {
    let (_server, mut client) = server();
    let sql = format!("SELECT id, features <-> (SELECT f FROM question WHERE n = 1) FROM item {ORDER} LIMIT 3000");
    let ranked: Vec<(i64, f64)> = by_the_node(&mut client, &sql)
        .iter()
        .map(|row| row.split_once('|').expect("two columns"))
        .map(|(id, distance)| (id.parse().expect("an id"), distance.parse().unwrap_or(f64::INFINITY)))
        .collect();
    assert!(ranked[..100].is_sorted_by(|a, b| a.1 <= b.1), "the first 100 are in the graph's order");
    assert!(!ranked[100..].is_sorted_by(|a, b| a.1 <= b.1), "the others are in the index's");
    assert!(ranked[ITEMS - ITEMS / 50..].iter().all(|(id, _)| id % 50 == 0), "rows without features come last");
    client.batch_execute("SET enable_indexscan = off").expect("a setting");
    let nearest = rows(
        &mut client,
        "SELECT id FROM item WHERE features IS NOT NULL ORDER BY grnet_global(features)::halfvec(8) <#> \
         (SELECT grnet_global(f)::halfvec(8) FROM question WHERE n = 1) LIMIT 80",
    );
    let first: Vec<String> = ranked[..100].iter().map(|(id, _)| id.to_string()).collect();
    let found = nearest.iter().filter(|id| first.contains(id)).count();
    assert!(found >= 75, "of the 80 nearest by the global vector {found} are in the shortlist of 100");
}

#[test]
fn an_index_that_ends_early_leaves_an_exact_ranking() {
    let (_server, mut client) = server();
    // The planner still thinks that there are 2,000.
    client.batch_execute("ALTER TABLE item SET (autovacuum_enabled = off); DELETE FROM item WHERE id > 400; SET grnet.shortlist = 600").expect("rows go");
    let sql = format!("SELECT id FROM item {ORDER}, id LIMIT 1000");
    let plan = analyzed(&mut client, &sql);
    let ours = custom(&plan, "GrnetShortlist").unwrap_or_else(|| panic!("{plan:#}"));
    let counted = ["Shortlist", "Rows from Index", "Rows not in Index", "Rows beyond Shortlist", "Pairs"]
        .map(|name| ours[name].as_i64().expect("a count"));
    assert_eq!(counted, [600, 392, 8, 0, 392], "{plan:#}");
    let short = rows(&mut client, &sql);
    client.batch_execute("SET grnet.shortlist = 0").expect("a setting");
    assert_eq!(short, rows(&mut client, &sql));
    assert_eq!(short.len(), 400);
}

#[test]
fn every_way_to_run_it_gives_the_same() {
    let (_server, mut client) = server();
    let sql = format!("SELECT id FROM item {ORDER} LIMIT 7");
    let wanted = by_the_node(&mut client, &sql);
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        client
            .batch_execute(&format!(
                "SET plan_cache_mode = {mode}; \
                 PREPARE s (grnet_features, int) AS SELECT id FROM item ORDER BY features <-> $1 LIMIT $2"
            ))
            .expect("a statement");
        let value = rows(&mut client, "SELECT f FROM question WHERE n = 1").concat();
        for _ in 0..7 {
            assert_eq!(rows(&mut client, &format!("EXECUTE s ('{value}', 7)")), wanted, "{mode}");
        }
        assert!(rows(&mut client, &format!("EXPLAIN EXECUTE s ('{value}', 7)")).concat().contains("GrnetShortlist"));
        client.batch_execute("DEALLOCATE s").expect("a statement");
    }
    client
        .batch_execute(&format!("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id FROM item {ORDER} LIMIT 150"))
        .expect("a cursor");
    let all = rows(&mut client, "FETCH ALL FROM c");
    assert_eq!((all.len(), &all[..7]), (150, &wanted[..]));
    rows(&mut client, "MOVE ABSOLUTE 8 FROM c");
    let back: Vec<String> = rows(&mut client, "FETCH BACKWARD ALL FROM c").into_iter().rev().collect();
    assert_eq!(back, wanted);
    client.batch_execute("COMMIT").expect("a transaction");
    assert_eq!(by_the_node(&mut client, &format!("SELECT id FROM item {ORDER}, bucket DESC LIMIT 7")), wanted);
    assert_eq!(by_the_node(&mut client, &format!("SELECT id FROM item {ORDER} FETCH FIRST 7 ROWS WITH TIES")), wanted);
    let score = "grnet_score((SELECT f FROM question WHERE n = 1), features)";
    assert_eq!(
        by_the_node(&mut client, &format!("SELECT id FROM item ORDER BY {score} DESC NULLS LAST LIMIT 7")),
        wanted
    );
    let joined = format!(
        "SELECT item.id FROM item JOIN item other ON other.id = item.id {} LIMIT 7",
        ORDER.replace("features", "item.features")
    );
    assert_eq!(rows(&mut client, &joined), wanted);
    assert_eq!(rows(&mut client, &format!("WITH best AS MATERIALIZED ({sql}) SELECT id FROM best")), wanted);
    assert_eq!(rows(&mut client, &format!("SELECT id FROM item {ORDER} LIMIT 0")).len(), 0);
    // Of a whole row, and of columns of the system.
    let whole =
        by_the_node(&mut client, &format!("SELECT item, tableoid::regclass, ctid, id FROM item {ORDER} LIMIT 7"));
    assert!(whole.iter().zip(&wanted).all(|(row, id)| row.ends_with(&format!("|{id}"))), "{whole:?}");
    // No value: no score, and rows all the same.
    let none = "SELECT id FROM item ORDER BY features <-> (SELECT NULL::grnet_features FROM question LIMIT 1) LIMIT 7";
    assert_eq!(by_the_node(&mut client, none).len(), 7);
}

#[test]
fn a_photo_is_embedded_once_a_statement() {
    let (_server, mut client) = server();
    let sql =
        "SELECT id, grnet_score(features, grnet_embed($1)) FROM item ORDER BY features <-> grnet_embed($1) LIMIT 5";
    let photos = [bmp(7), bmp(8)];
    let before = counter(&mut client, "photos");
    for photo in &photos {
        assert_eq!(client.query(sql, &[photo]).expect("a ranking").len(), 5);
    }
    assert_eq!(counter(&mut client, "photos") - before, 2);
}

#[test]
fn a_changing_query_is_asked_anew_and_holds_no_memory() {
    let (server, mut client) = server();
    let best = |n: &str| format!("SELECT id FROM item ORDER BY features <-> {n} LIMIT 3");
    let mut alone = Vec::new();
    for n in 1..=5 {
        alone.extend(by_the_node(&mut client, &best(&format!("(SELECT f FROM question WHERE n = {n})"))));
    }
    let lateral = format!("SELECT b.id FROM question q CROSS JOIN LATERAL ({}) b ORDER BY q.n", best("q.f"));
    let mut together = by_the_node(&mut client, &lateral);
    // Rows of one question may leave in any order.
    for part in [&mut alone, &mut together] {
        part.chunks_mut(3).for_each(<[String]>::sort_unstable);
    }
    assert_eq!(alone, together);
    let backend = backend_of(&mut client);
    let sql = |outer: i32| {
        format!(
            "SELECT sum(b.id) FROM generate_series(1, {outer}) g, LATERAL ({}) b",
            best("(SELECT f FROM question WHERE n = 1 + g % 5)")
        )
    };
    by_the_node(&mut client, &sql(200));
    let before = kilobytes(backend, "VmHWM");
    rows(&mut client, &sql(2_000));
    let grown = kilobytes(backend, "VmHWM") - before;
    println!("{grown} kB more for 2,000 rescans");
    assert!(grown < 4 << 10, "{grown} kB");
    drop(server);
}

#[test]
fn settings_of_pgvector_are_as_they_were() {
    let (_server, mut client) = server();
    client.batch_execute("SET hnsw.ef_search = 17; SET hnsw.iterative_scan = off").expect("settings");
    let unchanged = |client: &mut Client| {
        let names = ["ef_search", "iterative_scan", "max_scan_tuples", "scan_mem_multiplier"];
        names.map(|name| rows(client, &format!("SHOW hnsw.{name}")).concat())
    };
    let before = unchanged(&mut client);
    by_the_node(&mut client, &format!("SELECT id FROM item {ORDER} LIMIT 700"));
    assert_eq!(unchanged(&mut client), before);
    // Between the rows of a cursor too, and where the filter fails in the middle.
    client
        .batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR SELECT id FROM item {ORDER} LIMIT 700"))
        .expect("a cursor");
    rows(&mut client, "FETCH 150 FROM c");
    assert_eq!(unchanged(&mut client), before);
    client.batch_execute("COMMIT; BEGIN; SAVEPOINT s").expect("a transaction");
    let failing = format!("SELECT id FROM item WHERE 1 / (id - 77) < 5 {ORDER} LIMIT 1900");
    assert!(client.simple_query(&failing).is_err(), "a row divides by zero");
    client.batch_execute("ROLLBACK TO s").expect("a savepoint");
    assert_eq!(unchanged(&mut client), before);
    client.batch_execute("COMMIT").expect("a transaction");
}

#[test]
fn rows_that_change_meanwhile_are_looked_at_again() {
    let (server, mut client) = server();
    let sql = format!("SELECT id FROM item WHERE bucket >= 0 {ORDER} LIMIT 3");
    let best = by_the_node(&mut client, &sql);
    let mut other = server.session();
    other
        .batch_execute(&format!(
            "BEGIN; UPDATE item SET bucket = -1 WHERE id = {}; UPDATE item SET bucket = 7000 WHERE id = {}",
            best[0], best[1]
        ))
        .expect("an update");
    let locking = thread::spawn(move || {
        let sql = sql.replace("SELECT id", "SELECT id, bucket") + " FOR UPDATE";
        client.batch_execute("SET grnet.shortlist = 100").expect("a setting");
        rows(&mut client, &sql)
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    let mut third = server.session();
    eventually("it waits", START, || rows(&mut third, waits)[0] != "0");
    thread::sleep(Duration::from_millis(20));
    other.batch_execute("COMMIT").expect("a transaction");
    let found = locking.join().expect("a session");
    // One does not pass any more; the other comes as it is now.
    assert_eq!(found[0], format!("{}|7000", best[1]));
    assert!(!found.iter().any(|row| row.starts_with(&format!("{}|", best[0]))), "{found:?}");
}

#[test]
fn deleted_rows_and_a_dropped_index_do_no_harm() {
    let (_server, mut client) = server();
    let sql = format!("SELECT id FROM item {ORDER} LIMIT 5");
    let best = by_the_node(&mut client, &sql);
    client.batch_execute(&format!("DELETE FROM item WHERE id IN ({})", best[..2].join(", "))).expect("rows go");
    let left = by_the_node(&mut client, &sql);
    assert_eq!(left[..3], best[2..]);
    client.batch_execute("VACUUM item").expect("an owner may");
    assert_eq!(by_the_node(&mut client, &sql), left);
    client
        .batch_execute(&format!("SET plan_cache_mode = force_generic_plan; PREPARE s AS {sql}"))
        .expect("a statement");
    assert_eq!(rows(&mut client, "EXECUTE s"), left);
    client.batch_execute("DROP INDEX item_grnet_global_idx").expect("an owner may");
    let exact = rows(&mut client, "EXECUTE s");
    assert!(rows(&mut client, "EXPLAIN EXECUTE s").concat().contains("GrnetScore"));
    client.batch_execute("SET grnet.shortlist = 0").expect("a setting");
    assert_eq!(exact, rows(&mut client, &sql));
}

#[test]
fn a_plan_without_the_shortlist_says_why() {
    let (_server, mut client) = server();
    client
        .batch_execute(
            "CREATE TABLE few AS SELECT * FROM item LIMIT 50; SELECT grnet_create_index('few'); CREATE TABLE none AS TABLE item; \
             CREATE TABLE part (LIKE item) PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (9999); \
             INSERT INTO part TABLE item; SELECT grnet_create_index('part'); ANALYZE",
        )
        .expect("tables");
    let order = |table: &str| format!("SELECT id FROM {table} {ORDER}");
    for (sql, reason) in [
        (order("item"), "no LIMIT"),
        (order("few") + " LIMIT 5", "no more rows"),
        (order("none") + " LIMIT 5", "no index"),
        (order("part") + " LIMIT 5", "partitioned"),
        (order("item") + " DESC LIMIT 5", "worst"),
        (order("item") + " NULLS FIRST LIMIT 5", "NULLS LAST"),
        (
            format!(
                "SELECT DISTINCT ON (features <-> (SELECT f FROM question WHERE n = 1)) id FROM item {ORDER} LIMIT 5"
            ),
            "DISTINCT",
        ),
        ("SELECT id FROM item WHERE id = 3 ".to_owned() + ORDER + " LIMIT 5", "no more rows"),
        (order("part1") + " LIMIT 5", ""),
        (order("item") + " LIMIT 5", ""),
    ] {
        let plan = rows(&mut client, &format!("EXPLAIN (VERBOSE) {sql}")).join("\n");
        let said = plan.lines().find(|line| line.starts_with("GrnetScore:"));
        if reason.is_empty() {
            assert!(said.is_none() && plan.contains("GrnetShortlist"), "{sql}\n{plan}");
        } else {
            assert!(said.is_some_and(|line| line.contains("not used") && line.contains(reason)), "{sql}\n{plan}");
            assert!(!plan.contains("GrnetShortlist"), "{sql}\n{plan}");
        }
    }
    client.batch_execute("SET grnet.enable_rank = off").expect("a setting");
    assert!(!rows(&mut client, &format!("EXPLAIN {} LIMIT 5", order("item"))).concat().contains("Grnet"));
}

/// What stands above a ranking and might rely on its order, of rows `s (id, bucket, d)`.
const OUTER: [&str; 12] = [
    "SELECT id, lag(d) OVER (ORDER BY d, id) FROM s ORDER BY id",
    "SELECT id, rank() OVER (ORDER BY d), row_number() OVER (PARTITION BY bucket % 3 ORDER BY d, id) FROM s ORDER BY id",
    "SELECT d, id FROM s ORDER BY d, id",
    "SELECT d FROM s ORDER BY d LIMIT 90",
    "SELECT array_agg(d ORDER BY d), string_agg(id::text, ',' ORDER BY d, id) FROM s",
    "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY d), mode() WITHIN GROUP (ORDER BY bucket) FROM s",
    "SELECT DISTINCT ON (d) d, id FROM s ORDER BY d, id",
    "SELECT count(*) FROM s JOIN exact USING (d)",
    "SELECT count(*) FROM s FULL JOIN exact USING (d)",
    "SELECT a.id, b.id FROM s a JOIN s b ON a.d = b.d ORDER BY 1, 2",
    "(SELECT d, id FROM s ORDER BY d) UNION ALL (SELECT d, id FROM exact) ORDER BY 1, 2",
    "SELECT d, count(*) FROM s GROUP BY d ORDER BY d",
];

#[test]
fn no_level_above_relies_on_an_order_that_is_not_there() {
    let (_server, mut client) = server();
    client
        .batch_execute(&format!(
            "CREATE TABLE exact AS SELECT id, features <-> (SELECT f FROM question WHERE n = 1) AS d FROM item              WHERE id % 7 > 0; CREATE INDEX ON exact (d); CREATE TABLE other AS SELECT id, bucket % 5 AS kind FROM item;              ANALYZE exact; ANALYZE other; SET grnet.shortlist = 60;              CREATE VIEW best AS SELECT id, bucket, features <-> (SELECT f FROM question WHERE n = 1) AS d FROM item {ORDER}              LIMIT 400"
        ))
        .expect("tables");
    let distance = "item.features <-> (SELECT f FROM question WHERE n = 1) AS d";
    let from = "FROM item JOIN other USING (id)";
    let order = ORDER.replace("features", "item.features");
    let inner = [
        format!("SELECT id, bucket, {distance} FROM item {ORDER} LIMIT 400"),
        format!("SELECT id, bucket, {distance} FROM item {ORDER}, id LIMIT 300 OFFSET 20"),
        format!("SELECT id, bucket, {distance} FROM item WHERE bucket < 700 {ORDER} LIMIT (SELECT 350)"),
        format!("SELECT id, bucket, {distance} FROM item {ORDER} LIMIT NULL"),
        format!("SELECT id, bucket, {distance} FROM item {ORDER} FETCH FIRST 200 ROWS WITH TIES"),
        format!("SELECT id, bucket, {distance} {from} {order} LIMIT 300"),
        format!("SELECT id, bucket, {distance} {from} WHERE kind > 1 {order}, id LIMIT 300"),
        "SELECT * FROM best".to_owned(),
    ];
    let (mut with_node, mut compared) = (0, 0);
    for inner in &inner {
        for settings in [
            "RESET ALL; SET grnet.shortlist = 60",
            "SET enable_hashjoin = off; SET enable_nestloop = off",
            "SET enable_hashagg = off; SET enable_sort = off",
            "RESET enable_sort; RESET enable_nestloop; SET enable_mergejoin = off; SET enable_incremental_sort = off",
        ] {
            client.batch_execute(settings).expect("settings");
            client.batch_execute(&format!("DROP TABLE IF EXISTS s; CREATE TEMP TABLE s AS {inner}")).expect("a table");
            with_node +=
                usize::from(rows(&mut client, &format!("EXPLAIN {inner}")).concat().contains("GrnetShortlist"));
            for outer in OUTER {
                let kept = rows(&mut client, outer);
                for with in ["NOT MATERIALIZED", "MATERIALIZED"] {
                    let outer = match outer.strip_prefix('(') {
                        Some(_) => format!("WITH s AS {with} ({inner}) {outer}"),
                        None => outer.replacen("SELECT", &format!("WITH s AS {with} ({inner}) SELECT"), 1),
                    };
                    assert_eq!(rows(&mut client, &outer), kept, "{settings}\n{outer}");
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} queries above a shortlist, {with_node} of {} inner plans with the node", 4 * inner.len());
    assert!(with_node >= 5 * 4);
}

#[test]
fn further_keys_order_rows_of_equal_scores_within_the_shortlist() {
    let (_server, mut client) = server();
    // Each value of a hundred stands ten times, so that ties are the rule.
    client
        .batch_execute(
            "CREATE TABLE tied AS SELECT row_number() OVER () AS id, md5(g::text || id) AS name, nullif(g % 4, 3) AS rank, features \
             FROM generate_series(1, 10) g, (SELECT * FROM item WHERE features IS NOT NULL ORDER BY id LIMIT 100) i; \
             SELECT grnet_create_index('tied'); ANALYZE tied",
        )
        .expect("a table");
    for keys in ["id DESC", "name", "rank NULLS FIRST, id", "rank DESC, name COLLATE \"C\" DESC", "-rank, upper(name)"]
    {
        let sql = format!("SELECT id FROM tied {ORDER}, {keys}, id LIMIT 60");
        let short = by_the_node(&mut client, &sql);
        client.batch_execute("SET grnet.shortlist = 0").expect("a setting");
        let exact = rows(&mut client, &sql);
        client.batch_execute("SET grnet.shortlist = 100").expect("a setting");
        // What the shortlist of 100 lost may be missing; what is there stands as it does in the exact ranking.
        let places: Vec<usize> = short.iter().filter_map(|id| exact.iter().position(|other| other == id)).collect();
        assert!(places.is_sorted() && places.len() >= 40, "{keys}: {places:?}");
    }
}

#[test]
fn no_join_takes_a_shortlist_for_sorted() {
    let (_server, mut client) = server();
    let value = rows(&mut client, "SELECT f FROM question WHERE n = 1").concat();
    client
        .batch_execute(&format!(
            "CREATE TABLE y AS SELECT features <-> '{value}' AS v, id FROM item WHERE features IS NOT NULL ORDER BY 1 LIMIT 90; \
             CREATE INDEX ON y (v); ANALYZE y; GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; \
             CREATE ROLE clerk; ALTER TABLE y ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON y USING (id > 0)"
        ))
        .expect("tables");
    for setup in ["", "SET ROLE clerk"] {
        for join in ["item g LEFT JOIN y ON", "item g FULL JOIN y ON", "y LEFT JOIN item g ON", "item g JOIN y ON"] {
            for (more, keys) in [("", ""), ("", ", g.id"), ("AND g.bucket + 0 < 900", "")] {
                let both = [20, 0].map(|length| {
                    client
                        .batch_execute(&format!(
                            "RESET ALL; SET grnet.shortlist = {length}; SET max_parallel_workers_per_gather = 0; \
                             SET enable_hashjoin = off; SET enable_nestloop = off; SET enable_sort = off; {setup}"
                        ))
                        .expect("settings");
                    let sql = format!(
                        "SELECT count(*), count(y), sum(g) FROM (SELECT g.id AS g, y.id AS y FROM {join} \
                         (g.features <-> '{value}') = y.v {more} ORDER BY g.features <-> '{value}'{keys} LIMIT 5000) z"
                    );
                    let found = outcome(&mut client, &[sql], false);
                    client.batch_execute("RESET ROLE").expect("a role");
                    found
                });
                assert_eq!(both[0], both[1], "{setup} {join} {more} {keys}");
            }
        }
    }
}

#[test]
fn rows_that_the_index_lacks_are_not_kept_in_memory() {
    let (_server, mut client) = server();
    client
        .batch_execute(
            "CREATE TABLE bare (id int, note text, features grnet_features); \
             INSERT INTO bare SELECT g, repeat('x', 300), NULL FROM generate_series(1, 300000) g; \
             INSERT INTO bare SELECT 1000000 + id, 'y', features FROM item WHERE features IS NOT NULL LIMIT 60; \
             SELECT grnet_create_index('bare'); ANALYZE bare; SET grnet.shortlist = 50; SET work_mem = '1MB'; \
             SET max_parallel_workers_per_gather = 0",
        )
        .expect("a table");
    let backend = backend_of(&mut client);
    let sql = |limit: &str| {
        format!("SELECT count(*), count(features), sum(id) FROM (SELECT * FROM bare {ORDER} LIMIT {limit}) s")
    };
    assert_eq!(rows(&mut client, &sql("20"))[0].split('|').nth(1), Some("20"));
    let before = kilobytes(backend, "VmRSS") - kilobytes(backend, "RssShmem");
    let peak = kilobytes(backend, "VmHWM");
    assert_eq!(rows(&mut client, &sql("1000000"))[0].split('|').collect::<Vec<_>>()[..2], ["300060", "60"]);
    let plan = analyzed(&mut client, &format!("SELECT id FROM bare {ORDER} LIMIT 1000000"));
    let ours = custom(&plan, "GrnetShortlist").unwrap_or_else(|| panic!("{plan:#}"));
    assert_eq!([&ours["Rows from Index"], &ours["Rows not in Index"]], [60, 300_000], "{plan:#}");
    let grown = kilobytes(backend, "VmRSS") - kilobytes(backend, "RssShmem") - before;
    println!("{grown} kB more for 300,000 rows that the index lacks, peak {peak} kB before");
    assert!(grown < 8 << 10, "{grown} kB");
}

#[test]
fn a_query_of_another_model_is_refused_as_without_a_shortlist() {
    let (_server, mut client) = server();
    client.batch_execute("SELECT grnet_install_model('base')").expect("a model");
    let sql = "SELECT id FROM item WHERE bucket >= 0 ORDER BY features <-> (SELECT grnet_make_features(array_fill(0.5::real, ARRAY[14 * 256]), 'base')) LIMIT 5";
    let plan = rows(&mut client, &format!("EXPLAIN {sql}")).concat();
    assert!(plan.contains("GrnetShortlist"), "{plan}");
    let both = ["100", "0"].map(|length| {
        client.batch_execute(&format!("SET grnet.shortlist = {length}")).expect("a setting");
        outcome(&mut client, &[sql.to_owned()], false)
    });
    assert!(both[0][0].starts_with("55000 "), "{both:?}");
    assert_eq!(both[0], both[1]);
    // Nothing to score, nothing to refuse.
    client.batch_execute("SET grnet.shortlist = 100").expect("a setting");
    assert!(rows(&mut client, &sql.replace("bucket >= 0", "bucket + 0 < 0")).is_empty());
}

#[test]
fn an_index_is_taken_for_nothing_but_our_own_expression() {
    let (_server, mut client) = server();
    client
        .batch_execute(
            "CREATE TABLE ran (by text); SET check_function_bodies = off; CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO public.ran VALUES (current_user); END'; CREATE FUNCTION evil(r real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS \
             'BEGIN PERFORM public.note(); RETURN r; END'; \
             CREATE FUNCTION evil_cast(r real[], m int, e bool) RETURNS halfvec LANGUAGE plpgsql IMMUTABLE AS \
             'BEGIN PERFORM public.note(); RETURN r::public.halfvec; END'; \
             CREATE FUNCTION evil_item(f grnet_features) RETURNS grnet_features LANGUAGE plpgsql IMMUTABLE AS \
             'BEGIN PERFORM public.note(); RETURN f; END'; \
             CREATE FUNCTION grnet_global(f grnet_features, other int) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS \
             'BEGIN PERFORM public.note(); RETURN public.grnet_global(f); END'",
        )
        .expect("functions");
    for (expression, taken) in [
        ("evil(grnet_global(features))::halfvec(8)", false),
        ("evil_cast(grnet_global(features), 8, true)::halfvec(8)", false),
        ("grnet_global(evil_item(features))::halfvec(8)", false),
        ("grnet_global(features, 1)::halfvec(8)", false),
        ("l2_normalize(grnet_global(features)::halfvec(8))::halfvec(8)", false),
        ("(grnet_global(features)::halfvec(8)::text)::halfvec(8)", false),
        ("grnet_global(features)::halfvec(8)", true),
        ("array_to_halfvec(grnet_global(features), 8, false)::halfvec(8)", false),
    ] {
        client
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS shop; CREATE TABLE shop AS TABLE item; \
                 CREATE INDEX ON shop USING hnsw (({expression}) halfvec_ip_ops); ANALYZE shop; TRUNCATE ran"
            ))
            .unwrap_or_else(|error| panic!("{expression}: {error:?}"));
        let sql = format!("SELECT id FROM shop {ORDER} LIMIT 5");
        let plan = rows(&mut client, &format!("EXPLAIN {sql}")).concat();
        assert_eq!(plan.contains("GrnetShortlist"), taken, "{expression}\n{plan}");
        assert_eq!(rows(&mut client, &sql).len(), 5);
        assert_eq!(rows(&mut client, "SELECT count(*) FROM ran"), ["0"], "{expression} ran");
    }
}

#[test]
fn conditions_that_give_another_answer_each_time_and_orders_that_are_there_leave_no_shortlist() {
    let (_server, mut client) = server();
    for condition in [
        "random() < 0.7",
        "(SELECT random() + 0 * id) < 0.5",
        "id NOT IN (SELECT n FROM question WHERE random() < 2 OFFSET 0)",
    ] {
        let volatile = format!("SELECT id FROM item WHERE {condition} {ORDER} LIMIT 5");
        let plan = rows(&mut client, &format!("EXPLAIN (VERBOSE) {volatile}")).join("\n");
        assert!(!plan.contains("GrnetShortlist") && plan.contains("a condition is volatile"), "{plan}");
    }
    let stable = format!("SELECT id FROM item WHERE id NOT IN (SELECT n FROM question) {ORDER} LIMIT 5");
    assert!(rows(&mut client, &format!("EXPLAIN {stable}")).concat().contains("GrnetShortlist"));
    let value = rows(&mut client, "SELECT f FROM question WHERE n = 1").concat();
    client.batch_execute(&format!("CREATE INDEX ON item ((features <-> '{value}')); ANALYZE item")).expect("an index");
    let indexed = format!("SELECT id FROM item ORDER BY features <-> '{value}' LIMIT 5");
    let plan = rows(&mut client, &format!("EXPLAIN (VERBOSE) {indexed}")).join("\n");
    assert!(!plan.contains("GrnetShortlist") && plan.contains("have the order already"), "{plan}");
    // An index that was not made to its end is named.
    client
        .batch_execute(
            "DROP INDEX item_expr_idx; UPDATE pg_index SET indisvalid = false \
             WHERE indexrelid = 'item_grnet_global_idx'::regclass",
        )
        .expect("a superuser may");
    let plan = rows(&mut client, &format!("EXPLAIN (VERBOSE) SELECT id FROM item {ORDER} LIMIT 5")).join("\n");
    assert!(plan.contains("index \"item_grnet_global_idx\" is invalid"), "{plan}");
}

/// `GRNET_SHORTLIST_SHAPES` says how many queries (150), `GRNET_RANK_SEED` which.
#[test]
fn a_shortlist_that_is_longer_than_what_passes_the_filter_gives_what_the_plain_plan_gives() {
    let (count, seed) = (number("GRNET_SHORTLIST_SHAPES", 150), number("GRNET_RANK_SEED", 1));
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client.batch_execute("CREATE EXTENSION vector; SELECT grnet_create_index('item'); ANALYZE item").expect("an index");
    let values = values(&mut client);
    let mut shapes = Shapes::new(seed);
    let mut with_node = 0;
    for number in 0..count {
        let shape = shapes.next_of_few();
        let run = statements(&mut shapes, &shape, &values);
        let both =
            ["SET grnet.shortlist = 15", "SET grnet.shortlist = 0; SET grnet.enable_rank = off"].map(|settings| {
                client.batch_execute(settings).expect("settings");
                outcome(&mut client, &run, shape.unordered)
            });
        assert_eq!(
            both[0],
            both[1],
            "query {number} of seed {seed}: with a shortlist and without\n{}",
            run.join(";\n")
        );
        client.batch_execute("RESET grnet.enable_rank; SET grnet.shortlist = 15").expect("settings");
        let mut explained = run.clone();
        if let Some(at) = explained.iter().position(|statement| statement.starts_with("EXECUTE")) {
            explained.insert(at, format!("EXPLAIN {}", explained[at]));
        } else {
            explained = vec![format!("EXPLAIN {}", shape.sql)];
        }
        with_node += u64::from(outcome(&mut client, &explained, false).concat().contains("GrnetShortlist"));
    }
    println!("{count} queries, {with_node} of them with a shortlist");
    assert!(with_node * 3 > count, "only {with_node} of {count} plans have a shortlist");
}
