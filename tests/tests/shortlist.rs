//! The node `GrnetShortlist`: as many rows as without it, each answer the beginning of a longer one, nothing left behind.

use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::plans::{analyzed, custom, rows};
use grnet_tests::processes::kilobytes;
use grnet_tests::server::{START, backend_of, counter};
use grnet_tests::shortlist::{ITEMS, ORDER, by_the_node, server};
use postgres::Client;
use std::thread;
use std::time::Duration;

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
fn an_image_is_embedded_once_a_statement() {
    let (_server, mut client) = server();
    let sql =
        "SELECT id, grnet_score(features, grnet_embed($1)) FROM item ORDER BY features <-> grnet_embed($1) LIMIT 5";
    let images = [bmp(7), bmp(8)];
    let before = counter(&mut client, "images");
    for image in &images {
        assert_eq!(client.query(sql, &[image]).expect("a ranking").len(), 5);
    }
    assert_eq!(counter(&mut client, "images") - before, 2);
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
    client.batch_execute("SET grnet.enable_batch_scoring = off").expect("a setting");
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
