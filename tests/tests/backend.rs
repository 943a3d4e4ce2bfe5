//! What a backend is and does: without libtorch, without preload, without an engine, one request for 10,000 rows.

use std::process::Command;
use std::time::{Duration, Instant};

use grnet_cluster::process::is_alive;
use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::processes::{engines_of, mapped_files};
use grnet_tests::refusal::assert_refused;
use grnet_tests::server::{START, Server, backend_of, counter, features, installation};

/// Longer than a clean error may take, shorter than any timeout.
const QUICK: Duration = Duration::from_secs(10);

/// Whether a file of libtorch or of what it brings along.
fn is_torch(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    ["libtorch", "libc10", "libgomp", "libcudart", "libmkl"].iter().any(|start| name.starts_with(start))
}

#[test]
fn a_backend_never_maps_libtorch() {
    let server = Server::start();
    let mut client = server.session();
    let own = features(&mut client, &bmp(1));
    let score: f64 =
        client.query_one("SELECT grnet_score(x, x) FROM grnet_embed($1) x", &[&bmp(1)]).expect("a score").get(0);
    assert!(score.is_finite() && !own.is_empty());

    let files = mapped_files(backend_of(&mut client));
    assert!(files.iter().any(|file| file.ends_with("/grnet_pg.so")), "{files:?}");
    let torch: Vec<_> = files.iter().filter(|file| is_torch(file)).collect();
    assert!(torch.is_empty(), "{torch:?}");
    // The other side of it: the engine has what the backend has not.
    assert!(mapped_files(server.engine()).iter().any(|file| is_torch(file)));
    for pid in [server.supervisor().expect("a supervisor"), server.postmaster_pid().expect("a server")] {
        assert!(!mapped_files(pid).iter().any(|file| is_torch(file)), "process {pid}");
    }

    let library = installation().pkglibdir().join("grnet_pg.so");
    let output = Command::new("ldd").arg(&library).output().expect("ldd runs");
    let needed = String::from_utf8_lossy(&output.stdout).into_owned();
    // A line is `NAME => PATH (ADDRESS)`, and an address may hold "c10".
    let mut names = needed.lines().filter_map(|line| line.split_whitespace().next());
    assert!(output.status.success() && !names.any(is_torch), "{needed}");
}

#[test]
fn the_first_call_needs_no_preload() {
    let server = Server::bare(|builder| builder);
    let mut client = server.session();
    client.batch_execute("CREATE EXTENSION grnet_pg; SELECT grnet_install_model('tiny')").expect("no engine is needed");
    let state: String = client.query_one("SELECT state FROM grnet.stat_engine", &[]).expect("the view works").get(0);
    assert_eq!(state, "stopped");
    assert!(server.engines().is_empty(), "asking for the state started an engine");
    client.batch_execute("SET grnet.model = 'tiny'").expect("a setting");
    assert!(!features(&mut client, &bmp(2)).is_empty());

    let row = client
        .query_one("SELECT state, pid, supervisor_pid, restarts, device, images FROM grnet.stat_engine", &[])
        .expect("the view works");
    assert_eq!(row.get::<_, &str>(0), "running");
    assert_eq!(server.engines(), [row.get::<_, i32>(1) as u32]);
    assert_eq!(server.supervisor(), Some(row.get::<_, i32>(2) as u32));
    assert_eq!((row.get::<_, i64>(3), row.get::<_, i64>(5)), (0, 1));
}

#[test]
fn preloaded_the_engine_is_there_before_anybody_asks() {
    let server = Server::start();
    let pid = server.engine();
    assert!(is_alive(pid));
    // The supervisor looks for the engine's socket ten times a second; whoever asks the engine itself may be sooner.
    eventually("the log says so", START, || server.log().matches("is ready after").count() == 1);
    let mut client = server.session();
    assert_eq!(counter(&mut client, "requests"), 0);
}

#[test]
fn ten_thousand_rows_make_one_request() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute("CREATE TABLE item (id int, features grnet_features NOT NULL); LOAD 'grnet_pg'")
        .expect("a table");
    let images: Vec<Vec<u8>> = (0..50).map(bmp).collect();
    let sql = "INSERT INTO item SELECT n, f FROM generate_series(1, 200) n, unnest(grnet_embed_images($1)) f";
    assert_eq!(client.execute(sql, &[&images]).expect("an insert"), 10_000);
    let before = counter(&mut client, "requests");
    let nearest = "SELECT features <-> grnet_embed($1) FROM item ORDER BY features <-> grnet_embed($1) LIMIT 3";
    let rows = client.query(nearest, &[&bmp(7)]).expect("a ranking");
    assert_eq!(rows.len(), 3);
    // The sort key and the output column are two call sites of one image: each may ask once, and not once a row.
    let asked = counter(&mut client, "requests") - before;
    let only = "SELECT id FROM item ORDER BY features <-> grnet_embed($1) LIMIT 3";
    client.query(only, &[&bmp(8)]).expect("a ranking");
    let once = counter(&mut client, "requests") - before - asked;
    println!("requests for 10,000 rows: {once}; with the distance in the output too: {asked}");
    assert_eq!(once, 1);
    assert!((1..=2).contains(&asked), "{asked}");
}

#[test]
fn parallel_workers_score_and_embed() {
    let server = Server::build(|builder| builder);
    let mut client = server.session();
    let force = if server.installation().major() < 16 { "force_parallel_mode" } else { "debug_parallel_query" };
    let force = format!("LOAD 'grnet_pg'; SET {force} = on");
    client.batch_execute(&force).expect("settings");
    // The first image of a server that is not preloaded: a worker starts the supervisor.
    let embed = "SELECT grnet_features_send(grnet_embed($1))";
    let plan = client.query(&format!("EXPLAIN {}", embed.replace("$1", "'x'")), &[]).expect("a plan");
    assert!(plan.iter().any(|row| row.get::<_, &str>(0).contains("Gather")), "no worker");
    let in_worker: Vec<u8> = client.query_one(embed, &[&bmp(1)]).expect("features").get(0);
    assert_eq!(in_worker, features(&mut server.session(), &bmp(1)));

    client.batch_execute("CREATE TABLE item (features grnet_features)").expect("a table");
    let images: Vec<Vec<u8>> = (0..30).map(bmp).collect();
    client.execute("INSERT INTO item SELECT unnest(grnet_embed_images($1))", &[&images]).expect("an insert");
    let sql =
        "SELECT array_agg(s ORDER BY s) FROM (SELECT grnet_score(a.features, b.features) s FROM item a, item b) t";
    let parallel: Vec<f64> = client.query_one(sql, &[]).expect("scores").get(0);
    let alone: Vec<f64> = server.session().query_one(sql, &[]).expect("scores").get(0);
    assert_eq!(parallel, alone);
}

/// Values and models that were made while there was an engine, and then no engine.
fn without_an_engine(program: &str, words: &str) {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE item (id int, image bytea, features grnet_features)").expect("a table");
    for id in 0..3u64 {
        let sql = "INSERT INTO item VALUES ($1, $2, grnet_embed($2))";
        client.execute(sql, &[&(id as i32), &bmp(id)]).expect("an insert");
    }
    server.set("grnet.engine_program", program);
    server.session().batch_execute("SELECT 1").expect("the server goes on");
    eventually("the engine ends", QUICK, || server.engines().is_empty());
    drop(client);

    let mut client = server.session();
    let start = Instant::now();
    let refusal = assert_refused(&mut client, "SELECT grnet_embed(image) FROM item", "08006", words);
    println!("{program}: refused after {} ms: {} {}", start.elapsed().as_millis(), refusal.message, refusal.detail);
    assert!(start.elapsed() < QUICK, "the error took {:?}", start.elapsed());
    assert!(!refusal.detail.is_empty() && !refusal.hint.is_empty(), "{refusal:?}");

    // Where things lie on the disk is nobody's business but the administrator's.
    client.batch_execute("CREATE ROLE passer LOGIN").expect("a role");
    let mut passer = server.connect_to("postgres", "passer").expect("a session");
    let refusal = assert_refused(&mut passer, "SELECT grnet_embed('x')", "08006", "The engine ");
    assert!(!format!("{refusal:?}").contains(program), "{refusal:?}");
    let sql = "SELECT last_exit FROM grnet.stat_engine";
    let [told, all] = [&mut passer, &mut client].map(|c| c.query_one(sql, &[]).expect("a row").get::<_, String>(0));
    assert!(!told.contains('/') && all.starts_with(&told) && all.contains(words), "{told} {all}");
    client.batch_execute("DROP ROLE passer").expect("a superuser may");
    let sql = "SELECT count(*), bool_and(grnet_score(a.features, b.features) > 0) FROM item a, item b";
    let row = client.query_one(sql, &[]).expect("scoring needs no engine");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (9, true));

    let dump = server.command("pg_dump").output().expect("pg_dump runs");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    client.batch_execute("CREATE DATABASE other").expect("a database");
    let restored = server.psql(&["-q", "-d", "other"], &String::from_utf8_lossy(&dump.stdout)).expect("psql runs");
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let row = server.session_in("other").query_one(sql, &[]).expect("the copy scores");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (9, true));
}

#[test]
fn without_the_engines_program_only_new_images_fail() {
    without_an_engine(
        "/nonexistent/grnet-engine",
        "engine could not be started: /nonexistent/grnet-engine: No such file",
    );
}

#[test]
fn with_a_broken_program_only_new_images_fail() {
    without_an_engine("/bin/false", "ended with exit code 1");
}

#[test]
fn an_ordinary_role_scores_and_embeds_and_no_more() {
    let server = Server::start();
    server.session().batch_execute("CREATE ROLE anna LOGIN").expect("a role");
    let mut anna = server.connect_to("postgres", "anna").expect("a session");
    let sql = "SELECT grnet_score(x, x), (SELECT count(*) FROM grnet.model), (SELECT state FROM grnet.stat_engine) \
               FROM grnet_embed($1) x";
    let row = anna.query_one(sql, &[&bmp(3)]).expect("anybody may");
    assert!(row.get::<_, f64>(0) > 0.0 && row.get::<_, i64>(1) == 1);
    assert_eq!(row.get::<_, &str>(2), "running");
    for sql in [
        "SELECT grnet_register_model('mine', '\\x00')",
        "SELECT grnet_install_model('base')",
        "SELECT grnet_drop_model('tiny')",
        "SELECT grnet_export_model('tiny')",
        "SELECT * FROM grnet.model_file",
        "DELETE FROM grnet.model",
        "INSERT INTO grnet.model_file VALUES ('0', '')",
        "SET grnet.max_image_bytes = '100MB'",
        "SET grnet.max_image_pixels = 2000",
        "SET grnet.debug_fail_nth = 1",
        "ALTER SYSTEM SET grnet.engine_program = '/bin/false'",
    ] {
        assert_refused(&mut anna, sql, "42501", "permission denied");
    }
    assert_refused(&mut anna, "SHOW grnet.engine_program", "42501", "grnet.engine_program");
    for sql in
        ["SET grnet.engine_program = '/bin/false'", "SET grnet.engine_device = 'cpu'", "SET grnet.engine_max_queue = 9"]
    {
        assert_refused(&mut anna, sql, "55P02", "cannot be changed now");
    }
    anna.batch_execute("SET grnet.embed_timeout = '5s'; SET grnet.model = 'base'").expect("a user's own settings");
}

#[test]
fn settings_out_of_range_and_unknown_ones_are_refused() {
    let server = Server::start();
    let mut client = server.session();
    for (name, value) in [
        ("embed_timeout", "9"),
        ("embed_timeout", "2h"),
        ("max_image_bytes", "1023"),
        ("max_image_bytes", "257MB"),
        ("max_image_pixels", "999"),
        ("max_image_pixels", "1000000001"),
    ] {
        assert_refused(&mut client, &format!("SET grnet.{name} = '{value}'"), "22023", "outside the valid range");
    }
    for (name, value) in [
        ("engine_threads", "257"),
        ("engine_max_batch", "0"),
        ("engine_max_batch", "1025"),
        ("engine_max_batch_wait", "1001"),
        ("engine_max_queue", "0"),
        ("engine_max_queue", "100001"),
    ] {
        assert_refused(
            &mut client,
            &format!("ALTER SYSTEM SET grnet.{name} = '{value}'"),
            "22023",
            "outside the valid range",
        );
    }
    assert_refused(&mut client, "SET grnet.modell = 'tiny'", "42602", "grnet");
}

#[test]
fn a_misspelt_device_or_precision_is_refused() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("LOAD 'grnet_pg'").expect("the library is there");
    for (name, value) in [("engine_device", "gpu"), ("engine_device", "cuda:x"), ("engine_precision", "f64")] {
        assert_refused(&mut client, &format!("ALTER SYSTEM SET grnet.{name} = '{value}'"), "22023", value);
    }
}

#[test]
fn messages_say_what_is_wrong_and_what_to_do() {
    let server = Server::start();
    let mut client = server.session();
    for (sql, code, words) in [
        ("SELECT grnet_embed('\\x00')", "22000", "JPEG, PNG, WebP, GIF, BMP and TIFF are read."),
        ("SELECT grnet_embed('\\x00', 'base')", "42704", "SELECT grnet_install_model('base');"),
        ("SELECT grnet_embed('\\x00', 'nobody')", "42704", "model \"nobody\" is not in this database"),
        ("SELECT grnet_embed_images(ARRAY['\\x00']::bytea[])", "22000", "It is image 1 of the array."),
        ("SELECT grnet_install_model('none')", "58P01", "no model \"none\" ships"),
        ("SELECT grnet_install_model('../tiny')", "42602", "cannot be a model's name"),
        ("SELECT grnet_install_model('tiny')", "42710", "is in this database already"),
        ("SELECT grnet_register_model('x', '\\x00')", "22023", "safetensors"),
        ("SELECT grnet_drop_model('none')", "42704", "none"),
        ("SELECT 'grnet1:AAAA'::grnet_features", "22P02", ""),
    ] {
        assert_refused(&mut client, sql, code, words);
    }
}

#[test]
fn two_servers_have_two_engines() {
    let (one, two) = (Server::start(), Server::start());
    let (first, second) = (one.engine(), two.engine());
    assert_ne!(first, second);
    assert_eq!((one.engines(), two.engines()), (vec![first], vec![second]));
    let image = bmp(4);
    assert_eq!(features(&mut one.session(), &image), features(&mut two.session(), &image));
    one.kill_engine();
    assert_eq!(two.engine(), second);
    let folder = two.data_dir();
    drop(two);
    assert!(!is_alive(second) && engines_of(&folder).is_empty());
    assert!(is_alive(one.engine()));
}
