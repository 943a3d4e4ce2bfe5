//! The node `GrnetShortlist` in plans: further keys, joins, indexes, conditions, and by chance.

use grnet_tests::differential::{number, outcome, statements, values, with_tables};
use grnet_tests::plans::{analyzed, custom, rows};
use grnet_tests::processes::kilobytes;
use grnet_tests::server::{Server, backend_of};
use grnet_tests::shapes::Shapes;
use grnet_tests::shortlist::{ORDER, by_the_node, server};

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
        let both = ["SET grnet.shortlist = 15", "SET grnet.shortlist = 0; SET grnet.enable_batch_scoring = off"].map(
            |settings| {
                client.batch_execute(settings).expect("settings");
                outcome(&mut client, &run, shape.unordered)
            },
        );
        assert_eq!(
            both[0],
            both[1],
            "query {number} of seed {seed}: with a shortlist and without\n{}",
            run.join(";\n")
        );
        client.batch_execute("RESET grnet.enable_batch_scoring; SET grnet.shortlist = 15").expect("settings");
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
