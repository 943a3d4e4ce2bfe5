//! Runs cases against a server, and judges what comes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::case::Case;
use super::ground::{self, Ground};
use super::neighbour::Neighbour;
use super::report::Report;
use super::step::{self, Answer};
use super::verdict;
use super::watch::Watch;
use super::{Options, tables};
use crate::server::Server;

/// What a statement may take, if it sets no other time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A session lasts so many cases.
const SESSION: u64 = 200;

/// A run.
#[derive(Debug)]
pub struct Runner<'a> {
    server: &'a Server,
    options: &'a Options,
    ground: Ground,
    watch: Watch,
    notices: Arc<Mutex<Vec<String>>>,
    log_seen: usize,
    report: Report,
}

/// Runs cases until time or number are reached.
///
/// # Panics
/// The server does not do what it does for everybody.
pub fn run(server: &Server, options: &Options) -> Report {
    let ground = ground::prepare(server);
    let report = Report { all: ground.catalogue.signatures(), ..Report::default() };
    let watch = Watch::start(server.config());
    let mut runner =
        Runner { server, options, ground, watch, notices: Arc::default(), log_seen: server.log().len(), report };
    let complaints = Arc::clone(&runner.notices);
    let complain = move |why| complaints.lock().unwrap_or_else(PoisonError::into_inner).push(why);
    let neighbour = options.neighbour.then(|| Neighbour::start(server.config(), options.seed, complain));
    let start = Instant::now();
    let mut client = None;
    let mut number = options.first;
    while start.elapsed() < options.time && number - options.first < options.cases {
        if number.is_multiple_of(SESSION) {
            client = None;
        }
        let mut open = client.take().unwrap_or_else(|| runner.session());
        let Ground { catalogue, pool, parallel, .. } = &runner.ground;
        let case = Case::make(options, number, catalogue, pool, parallel);
        if runner.case(&mut open, &case) {
            client = Some(open);
        }
        number += 1;
    }
    drop(neighbour);
    runner.finish()
}

impl Runner<'_> {
    /// A new session, once the server takes one.
    fn session(&mut self) -> Client {
        let mut config = self.server.config();
        let notices = Arc::clone(&self.notices);
        config.notice_callback(move |notice| {
            let bad = verdict::of_notice(&notice);
            notices.lock().unwrap_or_else(PoisonError::into_inner).extend(bad);
        });
        let start = Instant::now();
        loop {
            match config.connect(NoTls) {
                Ok(mut client) => {
                    self.ground.mend(&mut client);
                    client.batch_execute(tables::OF_A_SESSION).expect("temporary tables");
                    let row = client.query_one("SELECT pg_backend_pid()", &[]).expect("a session");
                    self.watch.session(row.get(0));
                    return client;
                }
                Err(error) => assert!(start.elapsed() < Duration::from_secs(120), "no session any more: {error}"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn fail(&mut self, case: &Case, at: usize, why: &str) {
        let (number, seed) = (case.number, self.options.seed);
        let again = format!("  -- again: --seed {seed} --replay {number}");
        let failure = format!("case {number} of seed {seed}, statement {}: {why}\n{case}{again}", at + 1);
        if self.report.note_failure(why, failure.clone()) {
            println!("FAILURE {failure}");
        }
    }

    /// Runs a case; false where its session is of no use any more.
    fn case(&mut self, client: &mut Client, case: &Case) -> bool {
        self.report.cases += 1;
        self.report.tried.extend(case.used.iter().cloned());
        if let Err(error) = ground::clean(client) {
            self.fail(case, 0, &format!("the session is lost before it: {error:?}"));
            return false;
        }
        let mut discards = false;
        for (at, step) in case.steps.iter().enumerate() {
            if self.options.verbose {
                println!("{}.{}: {step}", case.number, at + 1);
            }
            discards |= step.sql().starts_with("DISCARD");
            let start = Instant::now();
            self.watch.begin(TIMEOUT, step.cancelled_after());
            let answer = step::run(client, step);
            let (hung, took) = (self.watch.end(), start.elapsed());
            self.report.statements += 1;
            if took.saturating_sub(TIMEOUT) > self.report.late.0 {
                self.report.late = (took - TIMEOUT, step.to_string());
            }
            if hung {
                self.fail(case, at, &format!("it hung: {took:?}, and was ended"));
                return false;
            }
            // What is left of a COPY that failed would be taken for the answer to what is said next.
            let is_muddled = step.is_copy_in() && !matches!(answer, Answer::Fine);
            match answer {
                Answer::Fine => self.report.note_answer(step.sql(), &case.used),
                Answer::Error(error) => {
                    self.report.note_error(&error, step);
                    if let Some(why) = verdict::of_error(&error) {
                        self.fail(case, at, &why);
                    }
                }
                Answer::Odd(why) => {
                    *self.report.errors.entry(format!("client: {why}")).or_default() += 1;
                }
                Answer::Lost(why) => {
                    std::thread::sleep(Duration::from_millis(500));
                    // A server that starts again has written much since.
                    let log = self.server.log();
                    let bad = verdict::of_log(log.get(self.log_seen..).unwrap_or_default()).join("\n");
                    let tail = self.server.log_tail(12);
                    self.fail(case, at, &format!("the session is lost: {why}\n{bad}\n{tail}"));
                    self.log_seen = log.len();
                    return false;
                }
            }
            let notices = std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner));
            notices.iter().for_each(|notice| self.fail(case, at, notice));
            if is_muddled {
                return false;
            }
        }
        self.explain(client, case);
        if case.number.is_multiple_of(50) {
            self.look_at_log(case);
            if ground::clean(client).is_ok() {
                self.ground.mend(client);
            }
        }
        !discards
    }

    /// Looks at the plan of a query, so that it can be told what was tried.
    fn explain(&mut self, client: &mut Client, case: &Case) {
        let Some(sql) = &case.explained else { return };
        let lines = step::rows(client, &format!("EXPLAIN {sql}"));
        if let Ok(lines) = lines {
            self.report.note_plan(&lines);
        }
    }

    /// Looks at what the server has logged since.
    fn look_at_log(&mut self, case: &Case) {
        let log = self.server.log();
        let new = log.get(self.log_seen..).unwrap_or_default();
        let bad = verdict::of_log(new);
        self.log_seen = log.len();
        if !bad.is_empty() {
            self.fail(case, 0, &format!("the log, since 50 cases before, has {bad:#?}"));
        }
    }

    /// What must hold at the end.
    fn finish(mut self) -> Report {
        let mut client = self.session();
        let log = self.server.log();
        let bad = verdict::of_log(log.get(self.log_seen..).unwrap_or_default());
        for line in bad {
            self.report.note_failure("the log at the end", format!("at the end the log has: {line}"));
        }
        if let Some(why) = self.ground.differences(&mut client) {
            self.report.note_failure("the ranking at the end", why);
        }
        self.server.engine();
        let row = client.query_one("SELECT restarts FROM grnet.stat_engine", &[]).expect("the engine answers");
        self.report.restarts = row.get::<_, Option<i64>>(0).unwrap_or(0);
        self.report
    }
}
