//! The node `GrnetScore` gives what the plain plan gives, for random queries of every shape, and holds no memory.
//!
//! `GRNET_RANK_SHAPES` says how many queries (300), `GRNET_RANK_SEED` which.

use grnet_tests::differential::{number, outcome, statements, until_the_error, values, with_tables};
use grnet_tests::growing;
use grnet_tests::images::bmp;
use grnet_tests::plans::{analyzed, custom, node};
use grnet_tests::processes::kilobytes;
use grnet_tests::server::{Server, backend_of, counter};
use grnet_tests::shapes::Shapes;
use postgres::Client;

#[test]
fn the_node_gives_what_the_plain_plan_gives() {
    let (count, seed) = (number("GRNET_RANK_SHAPES", 300), number("GRNET_RANK_SEED", 1));
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client.batch_execute(growing::TABLES).expect("tables");
    let values = values(&mut client);
    let mut shapes = Shapes::new(seed);
    let (mut with_node, mut parallel, mut failed) = (0, 0, 0);
    for number in 0..count {
        let shape = if shapes.once_in(4) { shapes.next_sure_join() } else { shapes.next_shape() };
        // Tables seem to grow, and plans tip over, while the rows stay.
        client.batch_execute(&shapes.growth()).expect("a superuser may");
        let run = statements(&mut shapes, &shape, &values);
        let workers = if shapes.once_in(3) { 2 } else { 0 };
        client
            .batch_execute(&format!(
                "SET max_parallel_workers_per_gather = {workers}; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; \
                 SET min_parallel_table_scan_size = {}; SET enable_partitionwise_join = {}",
                if shapes.once_in(4) { "DEFAULT" } else { "0" },
                shapes.once_in(2)
            ))
            .expect("settings");
        let mut both = [true, false].map(|on| {
            client.batch_execute(&format!("SET grnet.enable_batch_scoring = {on}")).expect("a setting");
            outcome(&mut client, &run, shape.unordered)
        });
        until_the_error(&mut both, shape.unordered);
        let [on, off] = &both;
        assert_eq!(on, off, "query {number} of seed {seed}: with and without the node\n{}", run.join(";\n"));
        failed += u64::from(on.len() == 1 && on[0].len() > 6 && on[0].as_bytes()[5] == b' ');
        if !shape.has_parameters {
            client.batch_execute("SET grnet.enable_batch_scoring = on").expect("a setting");
            let plan = outcome(&mut client, &[format!("EXPLAIN {}", shape.sql)], false).concat();
            with_node += u64::from(plan.contains("GrnetScore"));
            parallel += u64::from(plan.contains("Parallel Custom Scan (GrnetScore)"));
        }
    }
    println!(
        "{count} queries, of those without parameters {with_node} with the node ({parallel} in parallel), {failed} errors"
    );
    assert!(with_node * 5 > count, "only {with_node} of {count} plans have the node");
    assert!(count < 100 || (parallel > 0 && failed > 0), "{parallel} {failed}");
}

#[test]
fn explain_counts_what_was_done_workers_included() {
    let server = Server::build(|builder| builder);
    let mut client = with_tables(&server);
    client
        .batch_execute(
            "CREATE TABLE many AS SELECT g AS id, i.features FROM generate_series(1, 50) g, item i \
             WHERE i.features IS NOT NULL; ANALYZE many",
        )
        .expect("a table");
    let rows: i64 = client.query_one("SELECT count(*) FROM many", &[]).expect("a count").get(0);
    let sql = "SELECT id FROM many ORDER BY features <-> (SELECT f FROM question WHERE id = 1), id LIMIT 5";
    // A session of its own: without preload the library is loaded while its first query is planned.
    let mut client = server.session();
    for workers in [0, 2] {
        client.batch_execute(&format!("SET max_parallel_workers_per_gather = {workers}")).expect("a setting");
        let plan = &analyzed(&mut client, sql);
        let ours = custom(plan, "GrnetScore").unwrap_or_else(|| panic!("{plan:#}"));
        assert_eq!(ours["Pairs"], rows, "{plan:#}");
        assert!(ours["Batches"].as_i64() >= Some(rows / 64), "{plan:#}");
        for time in ["Fetch Time", "Score Time"] {
            assert!(ours[time].as_f64() > Some(0.0), "{time}: {plan:#}");
        }
        // PostgreSQL itself gives a table of so few pages no workers.
        let launched = node(plan, &|node| node["Node Type"] == "Gather Merge").map(|node| &node["Workers Planned"]);
        assert_eq!(launched.and_then(serde_json::Value::as_i64), (workers > 0).then_some(workers), "{plan:#}");
        assert_eq!(ours["Parallel Aware"], workers > 0);
    }
    client.batch_execute("ALTER TABLE many SET (parallel_workers = 0)").expect("an owner");
    let plan = &analyzed(&mut client, sql);
    assert!(custom(plan, "GrnetScore").is_some() && node(plan, &|node| node["Node Type"] == "Gather Merge").is_none());
}

#[test]
fn the_querys_side_is_evaluated_once_a_scan() {
    let server = Server::start();
    let mut client = with_tables(&server);
    let image = bmp(7);
    let before = counter(&mut client, "requests");
    let sql = "SELECT id FROM item ORDER BY features <-> grnet_embed($1), id LIMIT 3";
    client.batch_execute("SET max_parallel_workers_per_gather = 0").expect("a setting");
    assert_eq!(client.query(sql, &[&image]).expect("a ranking").len(), 3);
    assert_eq!(counter(&mut client, "requests") - before, 1);
    // The form of the README: a name for it, which PostgreSQL puts in the place of the name.
    let sql = "SELECT id, grnet_score(features, q) FROM item, (SELECT grnet_embed($1) AS q) one \
               ORDER BY features <-> q, id LIMIT 3";
    let plan: Vec<String> =
        client.query(&format!("EXPLAIN {sql}"), &[&image]).expect("a plan").iter().map(|row| row.get(0)).collect();
    assert!(plan.concat().contains("GrnetScore"), "{plan:#?}");
    assert_eq!(client.query(sql, &[&image]).expect("a ranking").len(), 3);
    assert_eq!(counter(&mut client, "requests") - before, 2);
    // Computed once where it is selected as well, inside of something and above the sort.
    let sql = "SELECT id, grnet_score((SELECT f FROM question WHERE id = 1), features) FROM item ORDER BY 2 DESC";
    let plan = &analyzed(&mut client, sql);
    assert_eq!(custom(plan, "GrnetScore").expect("the node")["Pairs"], 53);
}

/// What a query answers with the node, which it must also be planned with, and without it.
fn both(client: &mut Client, sql: &str) -> [Vec<String>; 2] {
    let plan = outcome(client, &[format!("EXPLAIN {sql}")], false).concat();
    assert!(plan.contains("GrnetScore") || plan.starts_with("42501"), "{plan}");
    [true, false].map(|on| {
        client.batch_execute(&format!("SET grnet.enable_batch_scoring = {on}")).expect("a setting");
        let rows = outcome(client, &[sql.to_owned()], false);
        client.batch_execute("RESET grnet.enable_batch_scoring").expect("a setting");
        rows
    })
}

#[test]
fn a_table_whose_columns_come_from_anothers_row_is_read_for_that_row() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client
        .batch_execute(
            "CREATE TABLE many AS SELECT 60 * g + i.id AS id, category, features FROM generate_series(1, 50) g, item i; \
             ANALYZE many; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0",
        )
        .expect("a table");
    // With a condition that holds for no missing row the join is an inner one, but what is computed in it stays apart.
    let sql = "SELECT a.id, s.id, s.y FROM question a LEFT JOIN LATERAL \
               (SELECT i.id, i.features, coalesce(a.id, i.category) AS y FROM many i) s ON s.id > a.id * 700 \
               WHERE s.id > 0 ORDER BY s.features <-> (SELECT f FROM question WHERE id = 1), s.y, a.id, s.id LIMIT 300";
    let [on, off] = both(&mut client, sql);
    assert_eq!(on.len(), 300);
    assert_eq!(on, off);
}

/// Workers cannot read a temporary table, nor a value of its that lies out of line: they are planned only where no such
/// value reaches them.
#[test]
fn a_query_in_a_temporary_table_is_ranked_in_every_form() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client
        .batch_execute(
            "CREATE TABLE many AS SELECT g AS id, g % 7 AS category, grnet_make_features(ARRAY(SELECT \
             sin(g * 3584 + n)::real FROM generate_series(1, 14 * 256) n), 'base') AS features FROM generate_series(1, 2500) g; \
             ANALYZE many; CREATE TEMP TABLE asked AS SELECT features AS q FROM many WHERE id = 7; \
             CREATE TABLE label AS SELECT id, 'label ' || id AS name FROM many; ANALYZE label; \
             CREATE FUNCTION nearest() RETURNS SETOF int LANGUAGE plpgsql AS 'DECLARE wanted grnet_features; BEGIN \
             SELECT q INTO wanted FROM asked; RETURN QUERY SELECT id FROM many WHERE features <-> wanted < 100 \
             ORDER BY features <-> wanted LIMIT 5; END'; \
             CREATE FUNCTION nearest_joined() RETURNS SETOF int LANGUAGE plpgsql AS 'DECLARE wanted grnet_features; BEGIN \
             SELECT q INTO wanted FROM asked; RETURN QUERY SELECT m.id FROM many m JOIN label l ON l.id = m.id \
             ORDER BY m.features <-> wanted LIMIT 5; END'; \
             CREATE TEMP TABLE long AS SELECT string_agg(md5(g::text), ' ') AS words FROM generate_series(1, 2000) g; \
             CREATE FUNCTION nearest_long() RETURNS SETOF int LANGUAGE plpgsql AS 'DECLARE wanted grnet_features; w text; BEGIN \
             SELECT q INTO wanted FROM asked; SELECT words INTO w FROM long; RETURN QUERY SELECT id FROM many \
             WHERE id <> length(w) ORDER BY features <-> wanted LIMIT 5; END'; \
             CREATE TABLE cut (LIKE many) PARTITION BY LIST (category); CREATE TABLE cut_a PARTITION OF cut FOR VALUES IN (1, 2, 3); \
             CREATE TABLE cut_b PARTITION OF cut DEFAULT; INSERT INTO cut TABLE many; ANALYZE cut; \
             SET plan_cache_mode = force_generic_plan; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0",
        )
        .expect("tables");
    let asked = "(SELECT q FROM asked)";
    let mut parallel = 0;
    for sql in [
        format!("SELECT id FROM many ORDER BY features <-> {asked} LIMIT 5"),
        format!("SELECT id, grnet_score(features, {asked}) FROM many ORDER BY features <-> {asked} LIMIT 5"),
        format!("SELECT id, md5({asked}::text) FROM many ORDER BY features <-> {asked} LIMIT 5"),
        format!(
            "SELECT id FROM many WHERE grnet_score(features, {asked}) > 0.01 ORDER BY features <-> {asked} LIMIT 5"
        ),
        format!(
            "SELECT id FROM many JOIN label USING (id) WHERE features <> {asked} ORDER BY features <-> {asked} LIMIT 5"
        ),
        format!("SELECT DISTINCT features <-> {asked} AS d FROM many ORDER BY d LIMIT 5"),
        "WITH a AS MATERIALIZED (TABLE asked) SELECT id FROM many ORDER BY features <-> (SELECT q FROM a) LIMIT 5"
            .to_owned(),
        "SELECT nearest()".to_owned(),
        "SELECT nearest_joined()".to_owned(),
        "SELECT nearest_long()".to_owned(),
        // The first value is NULL, the others are longer.
        "SELECT o, s.id FROM generate_series(0, 4) o, LATERAL (SELECT id FROM many ORDER BY features <-> \
         (SELECT q FROM asked WHERE o > 0), id LIMIT 2) s ORDER BY 1, 2"
            .to_owned(),
        format!("SELECT id FROM cut ORDER BY features <-> {asked} LIMIT 5"),
        format!(
            "SELECT l.id, n.id FROM label l, LATERAL (SELECT id FROM many WHERE category = l.id \
                 ORDER BY features <-> {asked} LIMIT 1) n WHERE l.id < 5 ORDER BY 1"
        ),
    ] {
        let found = outcome(&mut client, std::slice::from_ref(&sql), false);
        assert!(found.len() >= 4, "{sql}\n{found:?}");
        parallel += usize::from(outcome(&mut client, &[format!("EXPLAIN {sql}")], false).concat().contains("Parallel"));
        client.batch_execute("SET max_parallel_workers_per_gather = 0").expect("a setting");
        assert_eq!(outcome(&mut client, std::slice::from_ref(&sql), false), found, "{sql}");
        client.batch_execute("RESET max_parallel_workers_per_gather").expect("a setting");
    }
    assert!(parallel >= 2, "{parallel}: the node's own query side does not keep workers away");
}

#[test]
fn an_error_below_the_node_or_in_explain_arrives_whole() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client
        .batch_execute(
            "CREATE FUNCTION fails(id int) RETURNS bool LANGUAGE plpgsql COST 1 AS $$ BEGIN IF id = 5 THEN \
             RAISE 'no good' USING ERRCODE = 'GR001', DETAIL = 'the fifth', HINT = 'leave it', COLUMN = 'id', TABLE = 'item'; \
             END IF; RETURN true; END $$",
        )
        .expect("a function");
    let ranking =
        "SELECT id FROM item WHERE fails(id) ORDER BY features <-> (SELECT f FROM question WHERE id = 1) LIMIT 3";
    for sql in [ranking.to_owned(), format!("EXPLAIN ANALYZE {ranking}"), "EXPLAIN ANALYZE SELECT fails(5)".to_owned()]
    {
        let error = client.simple_query(&sql).expect_err("the fifth fails");
        let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error:?}"));
        assert_eq!(error.code().code(), "GR001", "{sql}");
        assert_eq!((error.message(), error.detail(), error.hint()), ("no good", Some("the fifth"), Some("leave it")));
        assert_eq!((error.table(), error.column()), (Some("item"), Some("id")), "{sql}");
        let context = error.where_().unwrap_or_default();
        assert!(context.contains("fails(integer)"), "{sql}: {context}");
    }
}

#[test]
fn rights_to_the_score_are_asked_for() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client
        .batch_execute(
            "CREATE ROLE clerk; GRANT SELECT ON item, question TO clerk; \
             REVOKE EXECUTE ON FUNCTION grnet_distance(grnet_features, grnet_features) FROM PUBLIC; SET ROLE clerk",
        )
        .expect("a role");
    let sql = |score: &str| {
        format!(
            "SELECT id FROM item ORDER BY {score}(features, (SELECT f FROM question WHERE id = 1)) DESC, id LIMIT 3"
        )
    };
    let refused = vec!["42501 permission denied for function grnet_distance".to_owned()];
    assert_eq!(both(&mut client, &sql("grnet_distance")), [refused.clone(), refused]);
    let [on, off] = both(&mut client, &sql("grnet_score"));
    assert_eq!((on.len(), &on), (3, &off));
}

#[test]
fn a_query_of_a_model_that_is_gone_is_an_error_where_it_is_scored_and_not_before() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    client.batch_execute("CREATE TABLE gone (f grnet_features)").expect("a table");
    client.execute("INSERT INTO gone SELECT grnet_embed($1, model => 'tiny')", &[&bmp(3)]).expect("a value");
    client
        .batch_execute("SELECT grnet_drop_model('tiny', force => true); SET max_parallel_workers_per_gather = 0")
        .expect("nothing minds");
    let sql = |filter: &str| {
        format!("SELECT id, features <-> (SELECT f FROM gone) FROM item WHERE {filter} ORDER BY 2, id LIMIT 3")
    };
    for (filter, expected) in [("price > 100", 0), ("features IS NULL", 3)] {
        let [on, off] = both(&mut client, &sql(filter));
        assert_eq!((on.len(), &on), (expected, &off), "{filter}");
    }
    let [on, off] = both(&mut client, &sql("true"));
    assert!(on.len() == 1 && on[0].starts_with("42704"), "{on:?}");
    assert_eq!(on, off);
}

#[test]
fn a_plan_that_ran_in_another_process_shows_no_wrong_figures() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    let setting = "SELECT name FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode')";
    let setting: String = client.query_one(setting, &[]).expect("its name since 16, or before").get(0);
    client.batch_execute(&format!("SET {setting} = on; SET max_parallel_workers_per_gather = 2")).expect("a setting");
    // Before 17 no plan with a sub-select of its own is run so.
    let sql = "SELECT id FROM item ORDER BY features <-> asked(1), id LIMIT 3";
    let [on, off] = both(&mut client, sql);
    assert_eq!((on.len(), &on), (3, &off));
    let plan = &analyzed(&mut client, sql);
    let ours = custom(plan, "GrnetScore").unwrap_or_else(|| panic!("{plan:#}"));
    assert!(node(plan, &|node| node["Node Type"] == "Gather").is_some(), "{plan:#}");
    assert!(ours["Pairs"].is_null() || ours["Pairs"] == 53, "{plan:#}");
}

#[test]
fn a_plan_without_the_node_says_why() {
    let server = Server::start();
    let mut client = with_tables(&server);
    let query = "(SELECT f FROM question WHERE id = 1)";
    let score = &format!("features <-> {query}");
    for (sql, reason) in [
        (format!("SELECT category FROM item GROUP BY category ORDER BY min({score})"), ""),
        (format!("SELECT DISTINCT {score} FROM item ORDER BY {score}"), "grouping"),
        (format!("SELECT features FROM item GROUP BY features ORDER BY {score}"), "grouping"),
        (format!("SELECT generate_series(1, 2) FROM item ORDER BY {score}"), "returns sets"),
        ("SELECT 1 FROM item i, item j ORDER BY i.features <-> j.features".to_owned(), "both sides"),
        (format!("SELECT 1 FROM item ORDER BY -({score})"), ""),
        (format!("SELECT 1 FROM item ORDER BY {score}"), ""),
    ] {
        let plan = outcome(&mut client, &[format!("EXPLAIN (VERBOSE) {sql}")], false).join("\n");
        let said = plan.lines().find(|line| line.starts_with("GrnetScore:"));
        if reason.is_empty() {
            assert_eq!(said, None, "{sql}\n{plan}");
        } else {
            assert!(said.is_some_and(|line| line.contains("not used") && line.contains(reason)), "{sql}\n{plan}");
        }
    }
}

#[test]
fn ten_thousand_rescans_hold_no_memory() {
    let server = Server::build(|builder| builder.preload(true));
    let mut client = with_tables(&server);
    let backend = backend_of(&mut client);
    let sql = |outer: i32| {
        format!(
            "SELECT sum(s.id) FROM generate_series(1, {outer}) g, LATERAL (SELECT i.id FROM item i \
             ORDER BY i.features <-> (SELECT f FROM question WHERE id = 1 + g % 5), i.id LIMIT 2) s"
        )
    };
    client.batch_execute("SET max_parallel_workers_per_gather = 0").expect("a setting");
    let plan = outcome(&mut client, &[format!("EXPLAIN {}", sql(10))], false).concat();
    assert!(plan.contains("GrnetScore"), "{plan}");
    client.query_one(&sql(1_000), &[]).expect("a sum");
    let before = kilobytes(backend, "VmHWM");
    client.query_one(&sql(10_000), &[]).expect("a sum");
    let grown = kilobytes(backend, "VmHWM") - before;
    println!("{grown} kB more for 10,000 rescans");
    assert!(grown < 4 << 10, "{grown} kB");
}
