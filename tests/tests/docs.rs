//! The documentation holds: every SQL block of README.md and docs/ runs in psql, links lead somewhere, and the tests that
//! tests/README.md names exist.
//!
//! A file's ```` ```sql ```` blocks run in one session, in a database and a folder of their own. The folder has what the
//! texts presuppose: `photos/item-00.jpg` …, `shirt.jpg`, `snapshot.jpg`. A block opened by ```` ```sql error ```` is one
//! statement that must fail with the SQLSTATE in its comment: `-- SQLSTATE 22000`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use grnet_render::{Catalogue, Difficulty};
use grnet_tests::server::Server;

/// One server at a time: each has an engine with a real model.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Garments in `photos/`.
const GARMENTS: u64 = 12;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A fenced block of SQL.
struct Block {
    line: usize,
    sql: String,
    /// The SQLSTATE that it must fail with.
    fails: Option<String>,
}

fn blocks(file: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let mut body = String::new();
        let mut closed = false;
        for (_, line) in lines.by_ref() {
            closed = line == "```";
            if closed {
                break;
            }
            body.push_str(line);
            body.push('\n');
        }
        assert!(closed, "{file}:{}: the block has no end", number + 1);
        let fails = match kind {
            "sql" => None,
            "sql error" => Some(sqlstate(&body).unwrap_or_else(|| panic!("{file}:{}: no `-- SQLSTATE`", number + 1))),
            _ => continue,
        };
        found.push(Block { line: number + 1, sql: body, fails });
    }
    found
}

fn sqlstate(sql: &str) -> Option<String> {
    let (_, rest) = sql.split_once("-- SQLSTATE ")?;
    rest.get(..5).map(str::to_owned)
}

/// What psql is fed: the blocks, each announced, so that its output says how far it came.
fn script(blocks: &[Block]) -> String {
    let mut script = String::new();
    for Block { line, sql, fails } in blocks {
        let _ = writeln!(script, "\\echo @block {line}");
        if fails.is_some() {
            // Only in there a failure is none; what it was is printed behind it.
            let _ = write!(
                script,
                "\\set ON_ERROR_STOP 0\n{sql}\\echo @state {line} :ERROR :SQLSTATE\n\\set ON_ERROR_STOP 1\n"
            );
        } else {
            script.push_str(sql);
        }
    }
    script.push_str("\\echo @end\n");
    script
}

/// A folder with images, removed when dropped.
struct Images(PathBuf);

impl Images {
    fn draw(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("grnet-docs-{}-{name}", std::process::id()));
        let images = folder.join("photos");
        fs::create_dir_all(&images).unwrap_or_else(|error| panic!("{}: {error}", images.display()));
        let save = |path: PathBuf, image: grnet_render::Photo| {
            let quality = image.annotation.quality;
            let jpeg = image.jpeg(quality).expect("a small image");
            fs::write(&path, jpeg).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        };
        let catalogue = Catalogue::new(7);
        for number in 0..GARMENTS {
            save(images.join(format!("item-{number:02}.jpg")), catalogue.item(number).shop_photo(0, 320));
        }
        let worn = catalogue.item(3);
        save(folder.join("shirt.jpg"), worn.shop_photo(1, 320));
        save(folder.join("snapshot.jpg"), worn.consumer_photo(0, Difficulty::Easy, 320));
        Self(folder)
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a file's blocks; gives what psql printed.
fn run(file: &str) -> String {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = blocks(file, &read(file));
    assert!(!blocks.is_empty(), "{file} has no SQL block");
    let images = Images::draw(&file.replace(['/', '.'], "-"));
    let server = Server::bare(|builder| builder);
    server.session().batch_execute("CREATE DATABASE docs").expect("a new database");

    let mut psql = server.command("psql");
    psql.env("PGDATABASE", "docs").args(["-X", "-v", "ON_ERROR_STOP=1"]).current_dir(&images.0);
    psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = psql.spawn().expect("psql");
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = script(&blocks);
    let output = std::thread::scope(|scope| {
        // Beside reading; psql may also end early.
        scope.spawn(move || drop(stdin.write_all(text.as_bytes())));
        child.wait_with_output().expect("psql ends")
    });
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let reached = printed.lines().filter_map(|line| line.strip_prefix("@block ")).next_back().unwrap_or("0");
    assert!(
        output.status.success() && printed.lines().any(|line| line == "@end"),
        "{file}:{reached}: this block fails.\n{said}\n{printed}"
    );
    for Block { line, fails, .. } in &blocks {
        let Some(expected) = fails else { continue };
        let state = printed.lines().find_map(|said| said.strip_prefix(&format!("@state {line} ")));
        assert_eq!(state, Some(&*format!("true {expected}")), "{file}:{line}: another error, or none\n{said}");
    }
    println!("{file}: {} SQL blocks ran", blocks.len());
    printed.into_owned()
}

#[test]
fn the_readme_works() {
    let printed = run("README.md");
    // The first answer is the right one: the garment of shirt.jpg.
    let first = printed.lines().skip_while(|line| !line.contains("grnet_score")).nth(2).unwrap_or_default();
    assert!(first.contains("item-03"), "the first answer is {first:?}\n{printed}");
}

#[test]
fn the_tutorial_works() {
    run("docs/tutorial.md");
}

#[test]
fn the_reference_works() {
    run("docs/sql.md");
}

#[test]
fn the_operators_manual_works() {
    run("docs/operating.md");
}

#[test]
fn the_text_about_models_works() {
    run("docs/models.md");
}

/// README.md, the other texts at the root, and docs/.
fn texts() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for folder in ["", "docs/"] {
        let entries = fs::read_dir(root().join(folder)).expect("a folder").flatten();
        let names = entries.map(|entry| format!("{folder}{}", entry.file_name().to_string_lossy()));
        found.extend(names.filter(|name| name.ends_with(".md")));
    }
    found.sort_unstable();
    found
}

#[test]
fn every_text_with_sql_is_run() {
    let run = ["README.md", "docs/models.md", "docs/operating.md", "docs/sql.md", "docs/tutorial.md"];
    let with_sql: Vec<String> = texts().into_iter().filter(|file| !blocks(file, &read(file)).is_empty()).collect();
    assert_eq!(with_sql, run, "a test of its own for each");
}

/// A heading as the end of a link: lower case, words joined by hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for file in texts() {
        let text = read(&file);
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            if target.contains("://") || target.is_empty() {
                continue;
            }
            count += 1;
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = root().join(&file).parent().expect("a folder").to_owned();
            let path = if path.is_empty() { root().join(&file) } else { folder.join(path) };
            assert!(path.exists(), "{file}: there is no {target}");
            if !heading.is_empty() {
                let there = fs::read_to_string(&path).unwrap_or_default();
                let mut headings = there.lines().filter_map(|line| line.strip_prefix('#'));
                let found = headings.any(|there| anchor(there.trim_start_matches('#')) == heading);
                assert!(found, "{file}: no heading for {target}");
            }
        }
    }
    assert!(count > 20, "{count} links looked at");
}

#[test]
fn tests_that_are_named_exist() {
    let text = read("tests/README.md");
    let mut count = 0;
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.contains(".rs::")) {
        let (file, test) = name.split_once("::").expect("a file and a test");
        assert!(read(file).contains(&format!("fn {test}(")), "{file} has no test {test}");
        count += 1;
    }
    assert!(count > 20, "{count} tests looked at");
}
