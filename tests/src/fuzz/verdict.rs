//! What must never be seen, whatever was asked.

use postgres::error::DbError;

/// Words of a WARNING of the server's about what an extension forgot.
const FORGOTTEN: [&str; 6] =
    ["leak", "was not closed", "still referenced", "still active", "problem in alloc set", "refcount"];

/// Words of an ERROR that come from a program's fault, under whatever SQLSTATE.
const FAULTS: [&str; 9] = [
    "panicked",
    "index out of bounds",
    "out of range for slice",
    "attempt to ",
    "called `",
    "unreachable",
    "assertion",
    "already borrowed",
    "char boundary",
];

/// Words of a server's log that come from a crash.
const CRASHES: [&str; 8] = [
    "terminated by signal",
    "PANIC:",
    "TRAP:",
    "panicked at",
    "AddressSanitizer",
    "double free",
    "malloc()",
    "stack smashing",
];

/// What the server says, under XX000, of two that change the same row of its catalogue, as [`super::neighbour`] and tables
/// that seem to grow do.
const NOBODYS: &str = "tuple concurrently updated";

/// What is wrong with an ERROR, if anything.
pub fn of_error(error: &DbError) -> Option<String> {
    let code = error.code().code();
    if error.message() == NOBODYS {
        return None;
    }
    let fault = FAULTS.iter().find(|words| error.message().contains(*words));
    let why = match code {
        "P0004" => "an assertion".to_owned(),
        _ if code.starts_with("XX") => format!("SQLSTATE {code}"),
        _ => format!("an ERROR that says {:?}", fault?),
    };
    let place =
        format!("{}:{} {}", error.file().unwrap_or("?"), error.line().unwrap_or(0), error.routine().unwrap_or("?"));
    Some(format!(
        "{why}: {} {}\n    DETAIL {}\n    CONTEXT {}\n    at {place}",
        code,
        error.message(),
        error.detail().unwrap_or("-"),
        error.where_().unwrap_or("-")
    ))
}

/// What is wrong with a WARNING, if anything.
pub fn of_notice(notice: &DbError) -> Option<String> {
    let forgotten = notice.severity() == "WARNING" && FORGOTTEN.iter().any(|words| notice.message().contains(words));
    forgotten.then(|| format!("a WARNING: {}", notice.message())).or_else(|| {
        notice
            .code()
            .code()
            .starts_with("XX")
            .then(|| format!("a {} of SQLSTATE XX: {}", notice.severity(), notice.message()))
    })
}

/// Lines of a log that tell of a crash.
pub fn of_log(log: &str) -> Vec<String> {
    log.lines().filter(|line| CRASHES.iter().any(|words| line.contains(words))).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::of_log;

    #[test]
    fn a_crash_is_seen_in_a_log() {
        let log = "LOG:  ready\nLOG:  client backend (PID 7) was terminated by signal 11: Segmentation fault\n";
        assert_eq!(of_log(log).len(), 1);
        assert!(of_log("LOG:  checkpoint complete\n").is_empty());
    }
}
