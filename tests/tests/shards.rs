//! Past one machine: a catalogue whose partitions lie on other servers (postgres_fdw), as docs/operating.md has it.

use grnet_tests::images::bmp;
use grnet_tests::plans::rows;
use grnet_tests::server::Server;

const IMAGES: i32 = 60;

/// A server that has one shop's items, every second image.
fn shard(shop: i32) -> Server {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute("CREATE TABLE item (shop integer, sku integer PRIMARY KEY, features grnet_features)")
        .expect("a table");
    for sku in (shop..IMAGES).step_by(2) {
        let sql = "INSERT INTO item VALUES ($1, $2, grnet_embed($3))";
        client.execute(sql, &[&shop, &sku, &bmp(u64::from(sku.unsigned_abs()))]).expect("an item");
    }
    client.batch_execute("ANALYZE item").expect("an owner may");
    server
}

#[test]
fn a_catalogue_on_several_servers_ranks_as_one_table() {
    let (hub, shards) = (Server::start(), [shard(0), shard(1)]);
    let mut client = hub.session();
    let sql = "CREATE EXTENSION postgres_fdw; \
               CREATE TABLE item (shop integer, sku integer, features grnet_features) PARTITION BY LIST (shop)";
    client.batch_execute(sql).expect("a partitioned table");
    for (number, shard) in shards.iter().enumerate() {
        let (host, port) = (shard.socket_dir().display(), shard.port());
        let sql = format!(
            "CREATE SERVER shop{number} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', \
                 dbname 'postgres', extensions 'grnet_pg', use_remote_estimate 'true', fdw_tuple_cost '10'); \
             CREATE USER MAPPING FOR CURRENT_USER SERVER shop{number} \
                 OPTIONS (user 'postgres', password_required 'false'); \
             CREATE FOREIGN TABLE item{number} PARTITION OF item FOR VALUES IN ({number}) SERVER shop{number} \
                 OPTIONS (table_name 'item')"
        );
        client.batch_execute(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    // One table with the same rows, to compare with.
    client
        .batch_execute("CREATE TABLE whole AS TABLE item; CREATE TABLE question (n integer, q grnet_features)")
        .expect("tables");
    for n in 0..4_i32 {
        let image = bmp(u64::from(100 + n.unsigned_abs()));
        client.execute("INSERT INTO question VALUES ($1, grnet_embed($2))", &[&n, &image]).expect("a question");
    }

    for n in 0..4 {
        let asked = format!("(SELECT q FROM question WHERE n = {n})");
        for (selected, rest) in [
            ("sku", format!("ORDER BY features <-> {asked} LIMIT 5")),
            (
                "shop, sku, grnet_score(features, {asked})",
                format!("WHERE sku > 10 ORDER BY features <-> {asked} LIMIT 7"),
            ),
            ("sku", format!("WHERE shop = 1 ORDER BY {asked} <-> features LIMIT 5")),
            ("sku", format!("ORDER BY grnet_score({asked}, features) DESC OFFSET 3 LIMIT 5")),
            ("sku", format!("ORDER BY features <-> {asked}")),
        ] {
            let selected = selected.replace("{asked}", &asked);
            let ask = |table: &str| format!("SELECT {selected} FROM {table} {rest}");
            assert_eq!(rows(&mut client, &ask("item")), rows(&mut client, &ask("whole")), "{}", ask("item"));
        }
    }

    let sql = "SELECT sku FROM item ORDER BY features <-> (SELECT q FROM question WHERE n = 0) LIMIT 5";
    let plan = rows(&mut client, &format!("EXPLAIN (VERBOSE, COSTS OFF) {sql}"));
    let remote = "Remote SQL: SELECT sku, features FROM public.item ORDER BY (features OPERATOR(public.<->) $1";
    let sorted_there = plan.iter().filter(|line| line.contains(remote)).count();
    assert_eq!(sorted_there, 2, "each shop's server sorts its own:\n{}", plan.join("\n"));
    assert!(!plan.iter().any(|line| line.contains("GrnetScore")), "nothing is scored here:\n{}", plan.join("\n"));
    println!("{}", plan.join("\n"));
}
