//! Real servers, of every version in `GRNET_TEST_PG`.

use grnet_cluster::process::{self, Signal};
use grnet_cluster::{Cluster, Error, Installation, Mode};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn installations() -> Vec<Installation> {
    Installation::for_tests().unwrap_or_else(|error| panic!("{error}"))
}

fn number(cluster: &Cluster, sql: &str) -> i64 {
    cluster.connect().unwrap().query_one(sql, &[]).unwrap().get(0)
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "{what}: not within 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_cluster_lives_and_leaves_nothing() {
    for installation in installations() {
        let cluster = Cluster::builder()
            .installation(&installation)
            .setting("work_mem", "5MB")
            .setting("cluster_name", "it's a test")
            .start()
            .unwrap();
        let mut client = cluster.connect().unwrap();
        let row = client.query_one("SELECT current_user, current_setting('work_mem'), current_setting('cluster_name'), current_setting('listen_addresses'), current_setting('server_version_num')::int / 10000", &[]).unwrap();
        assert_eq!(row.get::<_, &str>(0), "postgres");
        assert_eq!(row.get::<_, &str>(1), "5MB");
        assert_eq!(row.get::<_, &str>(2), "it's a test");
        assert_eq!(row.get::<_, &str>(3), "");
        assert_eq!(row.get::<_, i32>(4), installation.major() as i32);

        let pid = cluster.postmaster_pid().unwrap();
        let owner = std::fs::metadata(format!("/proc/{pid}")).unwrap().uid();
        assert_ne!(owner, 0, "a server runs as root");
        let mode = std::fs::metadata(cluster.socket_dir()).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "others can reach the socket");
        assert!(cluster.log().contains("ready to accept connections"));

        let dir = cluster.dir().to_owned();
        drop(cluster);
        assert!(!process::is_alive(pid));
        assert!(!dir.exists());
    }
}

#[test]
fn stop_and_start_keep_the_data() {
    for installation in installations() {
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        cluster.connect().unwrap().batch_execute("CREATE TABLE t AS SELECT generate_series(1, 10) i").unwrap();
        for mode in [Mode::Smart, Mode::Fast, Mode::Immediate] {
            cluster.stop(mode).unwrap();
            assert!(matches!(cluster.postmaster_pid(), Err(Error::NotRunning { .. })));
            assert!(cluster.connect().is_err());
            cluster.start_again().unwrap();
            assert_eq!(number(&cluster, "SELECT count(*) FROM t"), 10, "after {mode:?}");
        }
        let before = cluster.postmaster_pid().unwrap();
        cluster.restart().unwrap();
        assert_ne!(before, cluster.postmaster_pid().unwrap());
    }
}

#[test]
fn a_killed_postmaster_takes_its_children_along_and_can_be_started_again() {
    for installation in installations() {
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        let mut client = cluster.connect().unwrap();
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        cluster.kill_postmaster().unwrap();
        eventually("the backend ends", || !process::is_alive(backend as u32));
        // The shared memory is free once the last child is gone.
        eventually("the server starts", || cluster.start_again().is_ok());
        assert_eq!(number(&cluster, "SELECT 1::bigint"), 1);
    }
}

#[test]
fn a_kept_cluster_is_found_again() {
    for installation in installations() {
        let dir: PathBuf =
            std::env::temp_dir().join(format!("grnet-kept-{}-{}", std::process::id(), installation.major()));
        let builder = Cluster::builder().installation(&installation).dir(&dir);
        let first = builder.clone().keep().start().unwrap();
        first.connect().unwrap().batch_execute("CREATE TABLE kept (i int)").unwrap();
        let pid = first.postmaster_pid().unwrap();
        drop(first);
        assert!(process::is_alive(pid), "a kept cluster was stopped");

        let second = builder.clone().keep().start().unwrap();
        assert_eq!(second.postmaster_pid().unwrap(), pid, "the same settings restarted it");
        drop(second);

        let third = builder.setting("work_mem", "7MB").start().unwrap();
        assert_ne!(third.postmaster_pid().unwrap(), pid, "other settings need a restart");
        assert_eq!(number(&third, "SELECT count(*) FROM kept"), 0);
        drop(third);
        assert!(!dir.exists());
    }
}

#[test]
fn a_process_with_a_dead_servers_number_is_no_server() {
    for installation in installations() {
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        cluster.stop(Mode::Fast).unwrap();
        // The server's own user: only then does PostgreSQL believe the number.
        let mut sleep = std::process::Command::new("sleep");
        sleep.arg("60").current_dir("/");
        let mut stranger = grnet_cluster::run_as_server_user(sleep).unwrap().spawn().unwrap();
        let noted = cluster.data_dir().join("postmaster.pid");
        let text = format!("{}\n{}\n", stranger.id(), cluster.data_dir().display());
        std::fs::write(&noted, text).unwrap();

        assert!(matches!(cluster.postmaster_pid(), Err(Error::NotRunning { .. })));
        assert!(matches!(cluster.stop(Mode::Immediate), Err(Error::NotRunning { .. })));
        assert!(cluster.kill_postmaster().is_err());
        assert!(process::is_alive(stranger.id()), "a stranger was signalled");
        cluster.start_again().unwrap();
        assert_eq!(number(&cluster, "SELECT 1::bigint"), 1);
        assert!(process::is_alive(stranger.id()), "a stranger was signalled");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}

#[test]
fn a_server_never_runs_without_our_settings() {
    for installation in installations() {
        let name = format!("grnet-conf-{}-{}", std::process::id(), installation.major());
        let dir = std::env::temp_dir().join(name);
        let builder = Cluster::builder().installation(&installation).dir(&dir);
        let first = builder.clone().keep().start().unwrap();
        first.stop(Mode::Fast).unwrap();
        // As an interruption between the two files used to leave them: ours is there, and nothing reads it.
        let main = first.data_dir().join("postgresql.conf");
        let text = std::fs::read_to_string(&main).unwrap();
        let without: String =
            text.lines().filter(|line| !line.contains("grnet_cluster")).map(|l| l.to_owned() + "\n").collect();
        std::fs::write(&main, &without).unwrap();
        drop(first);
        let second = builder.clone().keep().start().unwrap();
        let row = second.connect().unwrap().query_one("SHOW listen_addresses", &[]).unwrap();
        assert_eq!(row.get::<_, &str>(0), "", "it listens on TCP, and trusts everybody");
        second.stop(Mode::Fast).unwrap();
        drop(second);

        // A cluster that has just been made reads ours before there is any: it would not start.
        std::fs::remove_file(dir.join("data/grnet_cluster.conf")).unwrap();
        let third = builder.start().unwrap();
        let row = third.connect().unwrap().query_one("SHOW listen_addresses", &[]).unwrap();
        assert_eq!(row.get::<_, &str>(0), "");
    }
}

#[test]
fn psql_stops_at_the_first_error() {
    for installation in installations() {
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        let fine = cluster.psql(&["-At"], "SELECT 6 * 7").unwrap();
        assert!(fine.status.success());
        assert_eq!(String::from_utf8_lossy(&fine.stdout), "42\n");
        let wrong = cluster.psql(&["-At"], "SELECT 1/0;\nSELECT 'not reached';").unwrap();
        assert_eq!(wrong.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("division by zero"));
        assert!(wrong.stdout.is_empty());
        // More than a pipe holds, both ways.
        let long = "SELECT repeat('x', 1000);\n".repeat(5000);
        assert!(cluster.psql(&["-At"], &long).unwrap().stdout.len() > 5_000_000);
        let dump = cluster.command("pg_dump").arg("--schema-only").output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    }
}

#[test]
fn a_standby_follows_and_takes_over() {
    for installation in installations() {
        let primary = Cluster::builder().installation(&installation).start().unwrap();
        primary.connect().unwrap().batch_execute("CREATE TABLE t AS SELECT 1 i").unwrap();
        let standby = Cluster::builder().standby_of(&primary).start().unwrap();
        assert!(standby.connect().unwrap().query_one("SELECT pg_is_in_recovery()", &[]).unwrap().get::<_, bool>(0));
        primary.connect().unwrap().batch_execute("INSERT INTO t VALUES (2)").unwrap();
        eventually("the row arrives", || number(&standby, "SELECT count(*) FROM t") == 2);
        standby.promote().unwrap();
        standby.connect().unwrap().batch_execute("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(number(&primary, "SELECT count(*) FROM t"), 2);
    }
}

#[test]
fn a_frozen_session_is_noticed_and_goes_on() {
    let cluster = Cluster::builder().installation(&installations()[0]).start().unwrap();
    let mut client = cluster.connect().unwrap();
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    assert!(process::send(pid as u32, Signal::Stop));
    assert!(process::is_alive(pid as u32));
    assert!(process::send(pid as u32, Signal::Continue));
    assert_eq!(client.query_one("SELECT 1", &[]).unwrap().get::<_, i32>(0), 1);
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = Cluster::builder().installation(&installations()[0]).setting("no_such_setting", 1).start().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("unrecognized configuration parameter \"no_such_setting\""), "{text}");
}

#[test]
fn roles_and_databases() {
    let cluster = Cluster::builder().installation(&installations()[0]).start().unwrap();
    cluster.connect().unwrap().batch_execute("CREATE ROLE ada LOGIN").unwrap();
    cluster.connect().unwrap().batch_execute("CREATE DATABASE shop").unwrap();
    let row = cluster
        .connect_to("shop", "ada")
        .unwrap()
        .query_one("SELECT current_user || '@' || current_database()", &[])
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "ada@shop");
}
