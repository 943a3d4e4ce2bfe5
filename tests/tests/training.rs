//! Training and evaluation through SQL, on real servers: what comes of it, and what is left of it when it is ended.

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use grnet_cluster::Mode;
use grnet_cluster::process::{self, Signal, is_alive};
use grnet_tests::eventually;
use grnet_tests::images::{bmp, encode, picture};
use grnet_tests::refusal::{Refusal, assert_refused};
use grnet_tests::server::{START, Server, backend_of, features};
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use postgres::Client;
use serde_json::Value;

const ITEMS: i32 = 60;
const QUERY: &str = "SELECT item, image, domain FROM image";

/// A garment as a customer took it: part of it, in another light, with something of another one's colour.
fn snapshot(item: u64, number: u64) -> RgbImage {
    let whole = picture(item, 48, 48);
    let (left, top) = ((item * 7 + number * 3) % 12, (item * 5 + number * 11) % 12);
    let part = image::imageops::crop_imm(&whole, left as u32, top as u32, 36, 36).to_image();
    let mut part = resize(&part, 48, 48, FilterType::Triangle);
    let light = 60 + (item * 13 + number * 29) % 50;
    part.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|c| (u64::from(c) * light / 100) as u8));
    part
}

/// A server with images of a small catalogue.
fn catalogue() -> Server {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE image (item integer, image bytea, domain text)").expect("a table");
    let insert = client.prepare("INSERT INTO image VALUES ($1, $2, $3)").expect("a statement");
    for item in 0..ITEMS {
        let mut add = |picture: &RgbImage, domain: &str| {
            client.execute(&insert, &[&item, &encode(picture, ImageFormat::Bmp), &domain]).expect("a row");
        };
        add(&picture(item as u64, 48, 48), "shop");
        (0..2).for_each(|number| add(&snapshot(item as u64, number), "consumer"));
    }
    features(&mut client, &bmp(1));
    server
}

fn train(name: &str, options: &str) -> String {
    format!("SELECT model, improved, steps, report::text FROM grnet_train('{name}', '{QUERY}', '{options}')")
}

/// Processes of jobs.
fn children(server: &Server) -> Vec<u32> {
    let commands = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let job = |pid: &u32| commands(pid).split(|b| *b == 0).any(|part| part == b"--child-of");
    server.engines().into_iter().filter(job).collect()
}

fn niceness(pid: u32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let field = stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().nth(16));
    field.and_then(|field| field.parse().ok()).expect("a number")
}

/// What jobs keep on disk.
fn spools(server: &Server) -> Vec<String> {
    let names = fs::read_dir(server.data_dir().join("pgsql_tmp_grnet")).expect("the engine's folder").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("engine.sock.")).collect()
}

fn phases(client: &mut Client) -> Vec<String> {
    let rows = client.query("SELECT phase FROM grnet.stat_progress_train", &[]).expect("the view works");
    rows.iter().map(|row| row.get(0)).collect()
}

fn assert_nothing_left(server: &Server) {
    let mut client = server.session();
    let took = eventually("nothing is left of it", START, || {
        children(server).is_empty() && spools(server).is_empty() && phases(&mut client).is_empty()
    });
    println!("nothing was left after {} ms", took.as_millis());
    let models: i64 = client.query_one("SELECT count(*) FROM grnet.model", &[]).expect("a count").get(0);
    assert_eq!(models, 1, "only tiny is there");
}

/// Runs a statement in a thread of its own; gives its backend, and how it ends and when.
fn begin(server: &Server, sql: &str) -> (u32, JoinHandle<(Option<Refusal>, Instant)>) {
    let mut client = server.session();
    let backend = backend_of(&mut client);
    let sql = sql.to_owned();
    let end = move || {
        let error = client.batch_execute(&sql).err();
        // A connection that is terminated may be gone before its ERROR is read.
        let gone =
            || Refusal { code: "57P01".into(), message: String::new(), detail: String::new(), hint: String::new() };
        let refusal = error.map(|error| match Refusal::of(&error) {
            Some(refusal) => refusal,
            None if error.is_closed() => gone(),
            None => panic!("no ERROR but {error:?}"),
        });
        (refusal, Instant::now())
    };
    (backend, thread::spawn(end))
}

/// The same, once it is in a phase.
fn begin_until(server: &Server, sql: &str, phase: &str) -> (u32, JoinHandle<(Option<Refusal>, Instant)>) {
    let (backend, running) = begin(server, sql);
    let mut client = server.session();
    eventually(phase, START, || {
        assert!(!running.is_finished(), "it ended before it was {phase}");
        phases(&mut client).iter().any(|there| there == phase)
    });
    (backend, running)
}

/// Long enough for every test.
const FOREVER: &str = r#"{"steps": 10000000, "every": 100000}"#;
/// What the catalogue's images can be learned with in seconds.
const LEARNS: &str =
    r#"{"steps": 150, "every": 25, "held_out": 40, "whiten": 1, "rate": 0.05, "reduction_rate": 0.01, "dim": 8}"#;
/// Steps that change nothing.
const IDLE: &str = r#"{"steps": 2, "every": 1, "held_out": 40, "rate": 0, "reduction_rate": 0}"#;

#[test]
fn a_model_is_trained_and_measured_as_the_server_ranks() {
    let server = catalogue();
    let mut client = server.session();
    let start = Instant::now();
    let row = client.query_one(&train("ours", LEARNS), &[]).expect("it is trained");
    let report: Value = serde_json::from_str(row.get(3)).expect("JSON");
    println!("trained in {} ms: kept {}", start.elapsed().as_millis(), report["kept"]);
    assert!(row.get::<_, bool>(1) && row.get::<_, i32>(2) > 0);
    assert_eq!(report["images"], 3 * ITEMS);
    // The shape is that of the model it started from, but for what was asked for.
    let sql =
        "SELECT id, backbone, grids, channels, (config->'graph'->>'dim')::integer FROM grnet.model WHERE name = 'ours'";
    let model = client.query_one(sql, &[]).expect("it is registered");
    assert_eq!(model.get::<_, String>(0), row.get::<_, String>(0));
    assert_eq!((model.get::<_, Vec<i32>>(2), model.get::<_, i32>(3), model.get::<_, i32>(4)), (vec![1, 2], 8, 8));

    // Ranks of the right garment, as the core's scores have them.
    client
        .batch_execute("CREATE TABLE item AS SELECT item, domain, grnet_embed(image, 'ours') AS features FROM image")
        .expect("features");
    let ranks = |worse: &str| {
        format!(
            "SELECT count(*) FROM item q JOIN item own ON own.item = q.item AND own.domain = 'shop' \
             WHERE q.domain = 'consumer' AND (SELECT count(*) FROM item g WHERE g.domain = 'shop' AND g.item <> q.item \
             AND {worse}) < $1"
        )
    };
    let graph = ranks("grnet_distance(g.features, q.features) <= grnet_distance(own.features, q.features)");
    let global =
        ranks("grnet_global_similarity(g.features, q.features) >= grnet_global_similarity(own.features, q.features)");
    let sql = format!("SELECT * FROM grnet_evaluate('{QUERY}', 'ours')");
    let rows = client.query(&sql, &[]).expect("it is measured");
    let rankings: Vec<&str> = rows.iter().map(|row| row.get("ranking")).collect();
    assert_eq!(rankings, ["backbone", "global", "graph"]);
    let queries = 2 * ITEMS;
    for (row, sql) in rows[1..].iter().zip([global, graph]) {
        assert_eq!((row.get::<_, &str>("set"), row.get::<_, i32>("queries")), ("consumer", queries));
        assert_eq!(row.get::<_, i32>("gallery"), ITEMS);
        let (low, high): (Vec<f64>, Vec<f64>) = (row.get("low"), row.get("high"));
        for (at, (name, k)) in [("top1", 1i64), ("top5", 5), ("top20", 20), ("top50", 50)].into_iter().enumerate() {
            let share: f64 = row.get(name);
            let hits: i64 = client.query_one(&sql, &[&k]).expect("a count").get(0);
            // Values are stored in half precision: a pair of close rivals may change places.
            let apart = (share - hits as f64 / f64::from(queries)).abs();
            assert!(apart < 0.03, "{name}: {share} against {hits} of {queries}");
            assert!(low[at] <= share && share <= high[at]);
        }
    }
    let gain: Vec<f64> = rows[2].get("gain");
    assert!((gain[0] - (rows[2].get::<_, f64>("top1") - rows[1].get::<_, f64>("top1"))).abs() < 1e-9);
    assert!(rows[0].get::<_, Option<Vec<f64>>>("gain").is_none());
    assert!(spools(&server).is_empty() && children(&server).is_empty());
    // Distractors, and lists of queries.
    let sql = "SELECT \"set\", queries, gallery FROM grnet_evaluate('SELECT CASE WHEN item < 50 OR domain = ''consumer'' THEN \
               item END AS item, image, domain, CASE WHEN item % 2 = 0 THEN ''even'' ELSE ''odd'' END AS set FROM image') \
               WHERE ranking = 'graph' ORDER BY 1";
    let rows = client.query(sql, &[]).expect("it is measured");
    let found: Vec<(&str, i32, i32)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(found, [("even", ITEMS, ITEMS), ("odd", ITEMS, ITEMS)]);

    // ROLLBACK leaves nothing, and the next training is another one.
    let mut other = server.session();
    other.batch_execute("SELECT grnet_drop_model('ours', force => true)").expect("dropped");
    other.batch_execute("BEGIN").expect("a transaction");
    let row = other.query_one(&train("theirs", LEARNS), &[]).expect("it is trained");
    assert_eq!(row.get::<_, String>(0), model.get::<_, String>(0), "one seed, one model");
    other.batch_execute("ROLLBACK").expect("nothing happened");
    assert_nothing_left(&server);
}

#[test]
fn what_did_not_improve_is_not_registered() {
    let server = catalogue();
    let mut client = server.session();
    for options in [IDLE, r#"{"steps": 0, "held_out": 40}"#] {
        let row = client.query_one(&train("ours", options), &[]).expect("it ends");
        assert_eq!((row.get::<_, Option<String>>(0), row.get::<_, bool>(1), row.get::<_, i32>(2)), (None, false, 0));
    }
    let log = server.log();
    assert!(log.contains("training \"ours\" did not improve on its start, no model is registered"), "{log}");
    assert!(log.contains("at best after") && log.contains("never measured at best after"), "{log}");
    assert_nothing_left(&server);
}

#[test]
fn others_see_how_far_it_is_and_it_ends_when_the_server_says_so() {
    let server = catalogue();
    let mut admin = server.session();
    admin.batch_execute("CREATE ROLE visitor LOGIN").expect("a role");
    let slow = "SELECT grnet_train('ours', 'SELECT item, image, domain, NULL::box AS region FROM image, \
                LATERAL (SELECT pg_sleep(0.05 + 0 * item)) s')";
    let long = train("ours", FOREVER);
    type End = fn(&mut Client, u32);
    let cancel: End = |admin, backend| {
        admin.execute("SELECT pg_cancel_backend($1)", &[&(backend as i32)]).expect("a superuser may");
    };
    let terminate: End = |admin, backend| {
        admin.execute("SELECT pg_terminate_backend($1)", &[&(backend as i32)]).expect("a superuser may");
    };
    for (sql, phase, end, state) in [
        (slow, "collecting images", cancel, "57014"),
        (&*long, "training", cancel, "57014"),
        (&*long, "training", terminate, "57P01"),
    ] {
        let (backend, running) = begin_until(&server, sql, phase);
        let mut visitor = server.connect_to("postgres", "visitor").expect("he may connect");
        let sql = "SELECT pid, datname, command, model, images, started_at <= now(), total, loss, graph_top1, eta >= now() \
                   FROM grnet.stat_progress_train";
        let mut row = visitor.query_one(sql, &[]).expect("he may look");
        eventually("a loss is told", START, || {
            row = visitor.query_one(sql, &[]).expect("he may look");
            phase != "training" || row.get::<_, Option<f64>>(7).is_some()
        });
        assert_eq!(row.get::<_, i32>(0), backend as i32);
        assert_eq!([row.get::<_, &str>(1), row.get(2), row.get(3)], ["postgres", "train", "ours"]);
        assert!(row.get::<_, bool>(5));
        if phase == "training" {
            assert_eq!((row.get::<_, i64>(4), row.get::<_, i64>(6)), (3 * i64::from(ITEMS), 10_000_000));
            assert!(row.get::<_, Option<f64>>(8).is_some() && row.get::<_, bool>(9));
            let child = children(&server);
            assert_eq!((child.len(), spools(&server).len()), (1, 1));
            assert_eq!(niceness(child[0]), (niceness(server.engine()) + 10).min(19));
        }
        let start = Instant::now();
        end(&mut admin, backend);
        let (refusal, at) = running.join().expect("the thread ends");
        assert_eq!(refusal.expect("an ERROR").code, state);
        let took = at.duration_since(start);
        println!("{phase}: the wait ended after {} ms", took.as_millis());
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_nothing_left(&server);
    }
    // In its first moments, held there.
    let (backend, running) = begin(&server, &long);
    eventually("its process is there", START, || children(&server).iter().any(|&pid| process::send(pid, Signal::Stop)));
    cancel(&mut admin, backend);
    assert_eq!(running.join().expect("the thread ends").0.expect("an ERROR").code, "57014");
    assert_nothing_left(&server);
    // By the clock, and again in the same session at once.
    let mut client = server.session();
    client.batch_execute("SET statement_timeout = '2s'").expect("a setting");
    for _ in 0..2 {
        assert_refused(&mut client, &long, "57014", "statement timeout");
    }
    assert_nothing_left(&server);
    features(&mut admin, &bmp(1));
}

#[test]
fn a_killed_process_costs_one_error_and_leaves_nothing() {
    let server = catalogue();
    let (_, running) = begin_until(&server, &train("ours", FOREVER), "training");
    let (engine, child) = (server.engine(), children(&server));
    assert!(process::send(child[0], Signal::Kill));
    let refusal = running.join().expect("the thread ends").0.expect("an ERROR");
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("38000", "the training failed"), "{refusal:?}");
    assert!(refusal.detail.contains("signal 9"), "{refusal:?}");
    assert_nothing_left(&server);
    assert_eq!(server.engine(), engine, "serving went on");

    let (_, running) = begin_until(&server, &train("ours", FOREVER), "training");
    let child = children(&server);
    server.kill_engine();
    let refusal = running.join().expect("the thread ends").0.expect("an ERROR");
    assert_eq!(refusal.code, "08006", "{refusal:?}");
    eventually("its process is gone", START, || !is_alive(child[0]));
    server.engine();
    assert_nothing_left(&server);

    let (_, running) = begin_until(&server, &train("ours", FOREVER), "training");
    let child = children(&server);
    server.stop(Mode::Fast).expect("it stops");
    assert!(running.join().expect("the thread ends").0.is_some());
    eventually("its process is gone", START, || !is_alive(child[0]));
    assert!(spools(&server).is_empty(), "{:?}", spools(&server));
}

#[test]
fn there_is_one_training_at_a_time_and_evaluations_go_on() {
    let server = catalogue();
    let (backend, running) = begin_until(&server, &train("ours", FOREVER), "training");
    let mut client = server.session();
    let refusal = assert_refused(&mut client, &train("theirs", FOREVER), "55006", "another training is running");
    assert!(refusal.detail.contains(&format!("Process {backend} in database \"postgres\"")), "{refusal:?}");
    assert!(refusal.detail.contains("\"ours\"") && refusal.hint.contains("pg_cancel_backend"), "{refusal:?}");
    let rows = client.query(&format!("SELECT * FROM grnet_evaluate('{QUERY}')"), &[]).expect("beside it");
    assert_eq!(rows.len(), 3);
    features(&mut client, &bmp(2));
    client.execute("SELECT pg_cancel_backend($1)", &[&(backend as i32)]).expect("a superuser may");
    running.join().expect("the thread ends");
    assert_nothing_left(&server);
}

#[test]
fn what_is_no_image_is_left_out_and_counted() {
    let server = catalogue();
    let mut client = server.session();
    client.batch_execute("UPDATE image SET image = 'no image' WHERE item = 7 AND domain = 'consumer'").expect("rows");
    let row = client.query_one(&train("ours", IDLE), &[]).expect("it ends");
    let report: Value = serde_json::from_str(row.get(3)).expect("JSON");
    assert_eq!(report["unreadable"], 2);
    let log = server.log();
    assert!(log.contains(&format!("2 of {} images cannot be read and were left out", 3 * ITEMS)), "{log}");
    assert!(log.contains("the first is images/") && !log.contains("the first is pgsql_tmp"), "{log}");
    let rows = client.query(&format!("SELECT * FROM grnet_evaluate('{QUERY}')"), &[]).expect("it is measured");
    assert_eq!((rows[0].get::<_, i32>("unreadable"), rows[0].get::<_, i32>("queries")), (2, 2 * ITEMS - 2));
    // Too many of them are an error, and so are images that nothing can be learned from.
    client.batch_execute("UPDATE image SET image = 'no image' WHERE item > 7").expect("rows");
    let refusal = assert_refused(&mut client, &train("ours", IDLE), "38000", "cannot be read");
    assert_eq!(refusal.message, "the training failed");
    assert_nothing_left(&server);
}

#[test]
fn what_cannot_be_trained_on_is_refused_before_the_work() {
    let server = catalogue();
    server.set("grnet.engine_max_spool_size", "1MB");
    let mut client = server.session();
    let on = |query: &str| format!("SELECT grnet_train('ours', $q${query}$q$)");
    for (query, state, words) in [
        ("SELECT 1 AS item, ''::bytea AS image", "42703", "no column \"domain\""),
        ("SELECT 1 AS item, 'x' AS image, 'shop' AS domain", "42804", "\"image\" is not of type bytea"),
        ("SELECT item, image, domain, 1 AS region FROM image", "42804", "\"region\" is not of type box"),
        ("SELECT item, image, domain, 1 AS price FROM image", "42703", "\"price\""),
        ("SELECT item, image, domain, 'x' AS set FROM image", "42703", "\"set\""),
        ("SELECT item, image, 'Shop' AS domain FROM image", "22023", "domain \"Shop\", allowed are consumer and shop"),
        ("SELECT item, image, NULL AS domain FROM image", "22004", "row 1 of the query has no domain"),
        ("SELECT NULL AS item, image, domain FROM image", "22004", "row 1 of the query has no item"),
        ("SELECT item, NULL::bytea AS image, domain FROM image", "22004", "row 1 of the query has no image"),
        ("SELECT item, image, domain, box '(1,1),(1,2)' AS region FROM image", "22023", "empty region"),
        ("SELECT item, image, domain FROM image WHERE item < 0", "P0002", "yields no image"),
        ("SELECT item, image, domain FROM nowhere", "42P01", "nowhere"),
        ("SELECT 1; SELECT 2", "42P11", "multi-query"),
        ("DELETE FROM image RETURNING item, image, domain", "0A000", "DELETE is not allowed"),
        ("SELECT item, image, domain FROM image, generate_series(1, 10)", "54000", "1048576 bytes"),
        ("SELECT item, image, domain FROM image WHERE domain = 'consumer'", "38000", "to validate with"),
    ] {
        assert_refused(&mut client, &on(query), state, words);
    }
    for (options, words) in [
        (r#"{"stepz": 1}"#, "option \"stepz\" is not known"),
        (r#"{"stepz": 1}"#, "steps"),
        (r#"{"out": "/etc/passwd"}"#, "option \"out\" is not known"),
        (r#"{"device": "cpu"}"#, "option \"device\" is not known"),
        (r#"{"steps": "many"}"#, "many"),
        (r#"{"held_out": 90}"#, "1 to 50"),
        (r#"{"steps": {}}"#, "option \"steps\""),
        ("[1]", "must be a JSON object"),
        (r#"{"model": 7}"#, "option \"model\" is 7"),
    ] {
        assert_refused(&mut client, &train("ours", options), "22023", words);
    }
    assert_refused(&mut client, &train("ours", r#"{"model": "none"}"#), "42704", "model \"none\"");
    assert_refused(&mut client, &train("tiny", "{}"), "42710", "in this database already");
    assert_refused(&mut client, &train("No Name", "{}"), "42602", "cannot be a model");
    let evaluate = "SELECT * FROM grnet_evaluate($q$SELECT item, image, domain, 'a,b' AS set FROM image$q$)";
    assert_refused(&mut client, evaluate, "22023", "set \"a,b\"");
    client.batch_execute("BEGIN READ ONLY").expect("a transaction");
    assert_refused(&mut client, &train("ours", "{}"), "25006", "grnet_train()");
    client.batch_execute("ROLLBACK").expect("its end");

    // An ordinary role may not, unless it is let.
    client.batch_execute("CREATE ROLE seller LOGIN; GRANT SELECT ON image TO seller").expect("a role");
    let mut seller = server.connect_to("postgres", "seller").expect("he may connect");
    assert_refused(&mut seller, &train("ours", "{}"), "42501", "permission denied for function grnet_train");
    assert_refused(&mut seller, evaluate, "42501", "permission denied for function grnet_evaluate");
    client.batch_execute("GRANT EXECUTE ON FUNCTION grnet_train TO seller").expect("a right");
    assert_refused(&mut seller, &train("ours", "{}"), "42501", "permission denied for table model");
    client.batch_execute("GRANT INSERT ON grnet.model, grnet.model_file TO seller").expect("a right");
    client.batch_execute("REVOKE SELECT ON image FROM seller").expect("a right less");
    // The engine notices the end of the one before a moment later.
    assert_nothing_left(&server);
    assert_refused(&mut seller, &train("ours", "{}"), "42501", "permission denied for table image");
    assert_nothing_left(&server);
}
