//! How the workspace hangs together: who depends on whom, where `unsafe` may stand, how long files are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files outside `src/pg/` that may say `unsafe`, and how many places they have.
const UNSAFE: [(&str, usize); 11] = [
    // Instructions that not every processor has: the proof that it has them, loads and stores; the inner loops.
    ("crates/backbone/src/depthwise.rs", 2),
    ("crates/score/benches/score/peak.rs", 1),
    ("crates/simd/src/avx2.rs", 8),
    ("crates/simd/src/avx512.rs", 10),
    ("crates/simd/src/tile.rs", 6),
    ("crates/simd/src/tile_i16.rs", 4),
    // The functions by which libjpeg reports, for its warnings.
    ("crates/image/src/warnings.rs", 7),
    // The exported entry of the supervisor, of the library, and one call without arguments of ours each.
    ("src/engine/supervisor.rs", 1),
    ("src/lib.rs", 1),
    ("src/model/mod.rs", 1),
    ("src/settings.rs", 1),
];

/// Most lines of an unsafe block: longer ones hide which line needs it.
const LONGEST_UNSAFE: usize = 10;

const LONGEST_FILE: usize = 410;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(program).args(arguments).args(["--offline", "--locked"]).current_dir(root()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Every crate of the workspace with what it needs of the workspace, tests aside.
fn needs() -> BTreeMap<String, Vec<String>> {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        let ours = all.filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_string());
        let mut ours: Vec<String> = ours.map(|dependency| text(&dependency["name"])).collect();
        ours.sort_unstable();
        ours
    };
    packages.iter().map(|package| (text(&package["name"]), of(package))).collect()
}

#[test]
fn dependencies_run_downwards() {
    let allowed: [(&str, &[&str]); 9] = [
        ("grnet-features", &[]),
        ("grnet-simd", &[]),
        ("grnet-score", &["grnet-features", "grnet-simd"]),
        ("grnet-backbone", &["grnet-simd"]),
        ("grnet-image", &[]),
        ("grnet-render", &[]),
        ("grnet-cluster", &[]),
        ("grnet-wire", &["grnet-features"]),
        ("grnet_pg", &["grnet-features", "grnet-score", "grnet-wire"]),
    ];
    let needs = needs();
    for (name, expected) in allowed {
        let found: Option<Vec<&str>> = needs.get(name).map(|below| below.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), Some(expected), "{name}");
    }
    // What ships depends on nothing that only tests and the demo need.
    let leaves = ["grnet-demo", "grnet-tests"];
    for (name, below) in &needs {
        assert!(!below.iter().any(|below| leaves.contains(&below.as_str())), "{name} depends on {below:?}");
    }
}

#[test]
fn features_score_and_wire_know_no_server_and_no_torch() {
    let forbidden = ["tch", "torch-sys", "pgrx", "pgrx-pg-sys", "tokio", "postgres", "image"];
    for name in ["grnet-features", "grnet-score", "grnet-backbone", "grnet-wire"] {
        let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"]);
        let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(crates.contains(&name), "{tree}");
        let found: Vec<_> = forbidden.iter().filter(|name| crates.contains(name)).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
    let tree =
        cargo(&["tree", "-p", "grnet_pg", "-e", "normal", "--prefix", "none", "--format", "{p}", "--features", "pg15"]);
    let torch = tree.lines().find(|line| line.starts_with("tch ") || line.starts_with("torch-sys "));
    assert_eq!(torch, None, "a backend would map libtorch");
}

/// Every Rust file of the repository, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let skipped = name.to_string_lossy().starts_with('.') || name == "target";
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !skipped => walk(&path, found),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") => {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    walk(&root, &mut found);
    let name = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut sources: Vec<_> = found.iter().map(|path| (name(path), read(path))).collect();
    sources.sort_unstable();
    assert!(sources.len() > 100, "only {} files were found", sources.len());
    sources
}

/// A line without its comment and its string literals.
fn code(line: &str) -> String {
    let line = line.trim_start();
    let mut out = String::new();
    let (mut quoted, mut before) = (false, ' ');
    for letter in line.chars() {
        match letter {
            '"' if before != '\\' => quoted = !quoted,
            '/' if !quoted && before == '/' => {
                out.pop();
                break;
            }
            _ if quoted => {}
            _ => out.push(letter),
        }
        before = letter;
    }
    out
}

fn is_unsafe(line: &str) -> bool {
    let code = code(line);
    ["unsafe {", "unsafe fn", "unsafe extern", "unsafe impl", "unsafe trait", "#[unsafe("]
        .iter()
        .any(|words| code.contains(words))
}

#[test]
fn unsafe_stands_where_it_may() {
    let (mut found, mut in_pg) = (BTreeMap::new(), 0);
    for (name, text) in sources() {
        let count = text.lines().filter(|line| is_unsafe(line)).count();
        if name.starts_with("src/pg/") {
            in_pg += count;
        } else if count > 0 {
            found.insert(name, count);
        }
    }
    let expected: BTreeMap<String, usize> = UNSAFE.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, expected);
    println!("unsafe: {in_pg} places in src/pg/, {} elsewhere", expected.values().sum::<usize>());
}

/// How many lines stand between the braces of a block that begins on a line.
fn length_of_block(lines: &[&str], index: usize) -> usize {
    let mut depth = 0;
    for (number, line) in lines[index..].iter().enumerate() {
        let code = code(line);
        let code = if number == 0 { code.split_once("unsafe {").map_or("", |(_, after)| after) } else { &code };
        if number == 0 {
            depth = 1;
        }
        for letter in code.chars() {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            if depth == 0 {
                return number.saturating_sub(1);
            }
        }
    }
    0
}

#[test]
fn unsafe_blocks_are_short() {
    let mut long = Vec::new();
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        let unsafe_lines = (0..lines.len()).filter(|index| code(lines[*index]).contains("unsafe {"));
        let too_long = unsafe_lines.filter(|index| length_of_block(&lines, *index) > LONGEST_UNSAFE);
        long.extend(too_long.map(|index| format!("{name}:{}", index + 1)));
    }
    assert!(long.is_empty(), "unsafe blocks of over {LONGEST_UNSAFE} lines: {long:?}");
}

/// The lines above `index`, up to the last statement before: comments, attributes, and the statement's own beginning.
fn is_explained(lines: &[&str], index: usize) -> bool {
    let above = lines[..index].iter().rev().take(12).map(|line| line.trim());
    for line in above {
        if line.starts_with("// SAFETY:") || line.contains("# Safety") {
            return true;
        }
        // The end of a statement or block before this one: what follows it has no comment.
        let comment = line.starts_with("//");
        if !comment && (line.ends_with(';') || line == "}" || line.is_empty()) {
            return false;
        }
    }
    false
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut silent = Vec::new();
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        // Callbacks of one kind have one contract, at the top of their file.
        let has_contract = text.contains("//! One contract holds for all of them:");
        for (index, line) in lines.iter().enumerate() {
            let code = code(line);
            // Signatures of our own say what they ask for (`# Safety`); blocks, attributes and what the server calls say why.
            let is_callback = code.contains("unsafe extern \"C-unwind\" fn") && !has_contract;
            let claims = is_callback || ["unsafe {", "#[unsafe("].iter().any(|word| code.contains(word));
            if claims && !is_explained(&lines, index) {
                silent.push(format!("{name}:{}", index + 1));
            }
        }
    }
    assert!(silent.is_empty(), "no SAFETY comment above: {silent:?}");
}

#[test]
fn files_are_short() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {long:?}");
}
