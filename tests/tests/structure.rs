//! How the workspace hangs together: who depends on whom, where `unsafe` may stand, how long files are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files outside `src/ffi/` that may say `unsafe`, and how many places they have.
const UNSAFE: [(&str, usize); 11] = [
    // Instructions that not every processor has: the proof that it has them, loads and stores; the inner loops.
    ("crates/core/benches/score/peak.rs", 1),
    ("crates/core/src/kernel/avx2.rs", 8),
    ("crates/core/src/kernel/avx512.rs", 10),
    ("crates/core/src/kernel/convolve/depthwise.rs", 2),
    ("crates/core/src/kernel/short/tile.rs", 4),
    ("crates/core/src/kernel/tile.rs", 6),
    // The functions by which libjpeg reports, for its warnings.
    ("crates/photo/src/warnings.rs", 7),
    // The exported entry of the supervisor, of the library, and one call without arguments of ours each.
    ("src/engine/supervisor.rs", 1),
    ("src/lib.rs", 1),
    ("src/model.rs", 1),
    ("src/settings.rs", 1),
];

/// Places in `src/ffi/` that say `unsafe`: a higher count is a reason to look. Half of them are the planner's trees and the
/// running node, where nearly every line reads a struct of the server's.
const UNSAFE_IN_FFI: usize = 399;

const LONGEST_FILE: usize = 600;

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
    let allowed: [(&str, &[&str]); 7] = [
        ("grnet-core", &[]),
        ("grnet-photo", &[]),
        ("grnet-render", &[]),
        ("grnet-cluster", &[]),
        ("grnet-wire", &["grnet-core"]),
        ("grnet_pg", &["grnet-core", "grnet-wire"]),
        ("grnet-engine", &["grnet-core", "grnet-photo", "grnet-wire"]),
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
fn the_core_and_the_wire_know_no_server_and_no_torch() {
    let forbidden = ["tch", "torch-sys", "pgrx", "pgrx-pg-sys", "tokio", "postgres", "image"];
    for name in ["grnet-core", "grnet-wire"] {
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
    let (mut found, mut in_ffi) = (BTreeMap::new(), 0);
    for (name, text) in sources() {
        let count = text.lines().filter(|line| is_unsafe(line)).count();
        if name.starts_with("src/ffi/") {
            in_ffi += count;
        } else if count > 0 {
            found.insert(name, count);
        }
    }
    let expected: BTreeMap<String, usize> = UNSAFE.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, expected);
    assert!(in_ffi <= UNSAFE_IN_FFI, "src/ffi/ says unsafe in {in_ffi} places, {UNSAFE_IN_FFI} are known");
    println!("unsafe: {in_ffi} places in src/ffi/, {} elsewhere", expected.values().sum::<usize>());
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
        for (index, line) in lines.iter().enumerate() {
            let code = code(line);
            // Signatures of our own say what they ask for (`# Safety`); blocks, attributes and what the server calls say why.
            let claims =
                ["unsafe {", "#[unsafe(", "unsafe extern \"C-unwind\" fn"].iter().any(|word| code.contains(word));
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
