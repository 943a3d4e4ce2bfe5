//! What the extension puts into the catalogue: nothing left to a default, nothing without a comment.

use std::fs;
use std::path::Path;

use grnet_tests::server::Server;

/// A CREATE FUNCTION of the SQL script.
#[derive(Debug)]
struct Declared {
    /// Name and argument types, as `regprocedure` reads them.
    signature: String,
    volatility: &'static str,
    strict: bool,
    parallel: &'static str,
    cost: f32,
}

/// The scripts that a fresh installation runs: all that are no upgrade.
fn scripts() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql");
    let paths = fs::read_dir(folder).expect("sql/").flatten().map(|entry| entry.path());
    let fresh = paths.filter(|path| path.to_string_lossy().matches("--").count() == 1);
    let text: String = fresh.map(|path| fs::read_to_string(path).expect("a script")).collect();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.fold(String::new(), |all, line| all + line + "\n")
}

/// The one alternative that `text` has.
fn only<T: Copy>(text: &str, what: &str, alternatives: &[(&str, T)]) -> T {
    let padded = format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "));
    let found: Vec<T> =
        alternatives.iter().filter(|(word, _)| padded.contains(&format!(" {word} "))).map(|(_, t)| *t).collect();
    assert_eq!(found.len(), 1, "{what} is not written out once: {text}");
    found[0]
}

/// The part between the parenthesis that `text` begins with and its partner.
fn in_parentheses(text: &str) -> &str {
    let mut depth = 0;
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return &text[1..index],
            ')' => depth -= 1,
            _ => {}
        }
    }
    panic!("no closing parenthesis: {text}");
}

fn declared() -> Vec<Declared> {
    let script = scripts();
    let statements = script.split(';').filter_map(|statement| statement.trim().strip_prefix("CREATE FUNCTION "));
    let read = |statement: &str| {
        let (name, rest) = statement.split_at(statement.find('(').expect("arguments"));
        let arguments = in_parentheses(rest);
        let types = arguments
            .split(',')
            .map(str::trim)
            .filter(|argument| !argument.starts_with("OUT ") && !argument.is_empty())
            .map(|argument| argument.split(" DEFAULT ").next().unwrap_or_default());
        let types: Vec<&str> = types.filter_map(|argument| argument.split_whitespace().last()).collect();
        let attributes = &rest[arguments.len() + 2..];
        let cost = attributes.split_whitespace().skip_while(|word| *word != "COST").nth(1);
        Declared {
            signature: format!("{name}({})", types.join(", ")),
            volatility: only(attributes, "volatility", &[("IMMUTABLE", "i"), ("STABLE", "s"), ("VOLATILE", "v")]),
            strict: only(attributes, "strictness", &[("STRICT", true), ("CALLED ON NULL INPUT", false)]),
            parallel: only(
                attributes,
                "parallel safety",
                &[("PARALLEL SAFE", "s"), ("PARALLEL RESTRICTED", "r"), ("PARALLEL UNSAFE", "u")],
            ),
            cost: cost.and_then(|cost| cost.parse().ok()).unwrap_or_else(|| panic!("no COST: {statement}")),
        }
    };
    statements.map(read).collect()
}

#[test]
fn every_function_says_what_it_costs_and_what_it_may() {
    let server = Server::start();
    let mut client = server.session();
    let declared = declared();
    for function in &declared {
        let sql = "SELECT provolatile::text, proisstrict, proparallel::text, procost FROM pg_proc WHERE oid = $1::text::regprocedure";
        let row =
            client.query_one(sql, &[&function.signature]).unwrap_or_else(|e| panic!("{}: {e:?}", function.signature));
        let found: (&str, bool, &str, f32) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let wanted = (function.volatility, function.strict, function.parallel, function.cost);
        assert_eq!(found, wanted, "{}", function.signature);
    }
    let sql = "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' \
               AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'grnet_pg') AND classid = 'pg_proc'::regclass";
    let count: i64 = client.query_one(sql, &[]).expect("a count").get(0);
    assert_eq!(count, i64::try_from(declared.len()).expect("a count"), "functions that were not read from the script");
    println!("{count} functions: volatility, strictness, parallel safety and cost as written");
}

#[test]
fn every_object_has_a_comment() {
    let server = Server::start();
    let sql = "SELECT pg_describe_object(classid, objid, objsubid), obj_description(objid, relname), count(*) OVER () \
               FROM pg_depend JOIN pg_class ON pg_class.oid = classid \
               WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' \
               AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'grnet_pg') \
               AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid \
                               AND (t.typrelid <> 0 OR t.typcategory = 'A')) ORDER BY 1";
    // From 18 on the types that come with tables and types, rows and arrays, are members too.
    let rows = server.session().query(sql, &[]).expect("a list");
    assert!(rows.len() > 30, "{} objects", rows.len());
    let silent = rows.iter().filter(|row| row.get::<_, Option<&str>>(1).is_none_or(str::is_empty));
    let silent: Vec<&str> = silent.map(|row| row.get(0)).collect();
    assert!(silent.is_empty(), "no comment on {silent:#?}");
    println!("{} objects of the extension, each with a comment", rows.len());
}

#[test]
fn nothing_is_left_when_the_extension_goes() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("DROP EXTENSION grnet_pg").expect("nothing depends on it");
    let sql = "SELECT (SELECT count(*) FROM pg_proc WHERE proname LIKE 'grnet%'), \
               (SELECT count(*) FROM pg_namespace WHERE nspname = 'grnet'), \
               (SELECT count(*) FROM pg_type WHERE typname LIKE '%grnet%')";
    let row = client.query_one(sql, &[]).expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (0, 0, 0));
    client.batch_execute("CREATE EXTENSION grnet_pg; SELECT grnet_install_model('tiny')").expect("it comes back");
    // The engine that served the old extension serves the new one.
    client.batch_execute("SET grnet.model = 'tiny'").expect("a setting");
    assert!(!grnet_tests::server::features(&mut client, &grnet_tests::images::bmp(1)).is_empty());
}
