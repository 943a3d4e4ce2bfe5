//! One word for one thing: words that stood for something else, or for what has a name in the field, do not come back.

use std::fs;
use std::path::{Path, PathBuf};

/// Names of types that needed a dictionary, and what is said instead.
const TYPES: [(&str, &str); 18] = [
    ("Anew", "reinit"),
    ("Course", "TrainContext"),
    ("Crew", "ThreadPool"),
    ("Dice", "Rng"),
    ("Kept", "Cached…"),
    ("Lanes", "Simd"),
    ("Leash", "ChildGuard"),
    ("Lifeline", "ChildGuard"),
    ("Manner", "Augmentation"),
    ("Memo", "…Cache"),
    ("Numbers", "Dtype"),
    ("Place", "CallSiteCache, or what lies there"),
    ("Room", "Budget or Workspace"),
    ("Scratch", "Workspace"),
    ("Shot", "Sample"),
    ("Studies", "Jobs"),
    ("Study", "Job"),
    ("Wish", "Request"),
];

/// Settings and options by their old names, which only the code that refuses them may say.
const OLD_SETTINGS: [&str; 2] = ["enable_rank", "feature_numbers"];

/// Files that may say an old setting: what refuses it, tests that, and says so to users.
const REFUSING: [&str; 5] = [
    "docs/sql.md",
    "src/pg/guc_renamed.rs",
    "tests/tests/vocabulary.rs",
    "tests/sql/settings.sql",
    "tests/expected/settings.out",
];

/// Words that have "photo" in them and are somebody else's.
const FOREIGN: [&str; 4] = ["photometric", "photoshop", "prophoto", "photograph"];

/// The folder of pictures beside a table, as catalogues come.
const FOLDER: &str = "crates/data/src/sources/annotated.rs";

/// Arrays of PyTorch, whose names are their scripts'.
const GOLDEN: &str = "crates/nn/tests/golden.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

/// Files of these folders with these endings, by their path from the root, with their text.
fn texts(folders: &[&str], endings: &[&str]) -> Vec<(String, String)> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    folders.iter().for_each(|folder| walk(&root().join(folder), &mut found));
    let is_wanted =
        |path: &PathBuf| path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending));
    let name = |path: &Path| path.strip_prefix(root()).expect("below the root").display().to_string();
    found.into_iter().filter(is_wanted).filter_map(|path| Some((name(&path), fs::read_to_string(path).ok()?))).collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
}

#[test]
fn types_have_the_names_of_the_field() {
    let mut found = Vec::new();
    for (name, text) in texts(&["src", "crates"], &["rs"]) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let old = words(line).filter_map(|word| TYPES.iter().find(|(old, _)| *old == word));
            found.extend(old.map(|(old, new)| format!("{name}:{}: {old}; say {new}", number + 1)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn encoded_pictures_are_images_in_code_and_sql() {
    let mut found = Vec::new();
    for (name, text) in texts(&["src", "crates", "sql"], &["rs", "sql"]) {
        if name == FOLDER || name == GOLDEN {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let is_old = |word: &str| word.contains("photo") && !FOREIGN.iter().any(|known| word.contains(known));
            if words(&line).any(is_old) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "say image: {found:#?}");
}

#[test]
fn old_settings_are_only_refused() {
    let mut found = Vec::new();
    let folders = ["src", "crates", "sql", "tests", "docs", "bench", "demo", "scripts"];
    for (name, text) in texts(&folders, &["rs", "sql", "out", "md", "py", "sh"]) {
        let is_history = name.starts_with("docs/decisions/") || REFUSING.contains(&name.as_str());
        if !is_history && words(&text).any(|word| OLD_SETTINGS.contains(&word)) {
            found.push(name);
        }
    }
    assert!(found.is_empty(), "settings by their old names: {found:#?}");
}
