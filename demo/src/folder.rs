//! The plan of the user's own photos.

use crate::failure::{Failure, Result};
use crate::picture::{Change, Picture};
use crate::plan::{Plan, Wanted};
use grnet_image::{Error, Limits};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Photos of a flat folder that a query is made of.
const SNAPSHOTS: usize = 12;
/// Bytes that tell what a file is.
const HEAD: u64 = 4096;
/// Files left out that are named one by one; the rest is counted.
const NAMED: usize = 12;

/// Which photos of a folder are the catalogue, and which are searched for.
///
/// # Errors
/// The folder cannot be read, or holds no photo to search in or for.
pub fn plan(dir: &Path) -> Result<Plan> {
    let dir = dir.canonicalize().map_err(Failure::file(dir))?;
    let Listed { folders, photos, mut others } = list(&dir)?;
    let mut plan = Plan {
        database: "photos",
        heading: String::new(),
        items: Vec::new(),
        queries: Vec::new(),
        parameters: vec![("folder".to_owned(), dir.display().to_string())],
        notes: Vec::new(),
    };
    for folder in &folders {
        let listed = list(folder)?;
        for deep in listed.folders {
            plan.notes.push(format!("{}: a folder in a garment's folder, left out", deep.display()));
        }
        others.extend(listed.others);
        garment(&mut plan, &dir, folder, &listed.photos);
    }
    plan.notes.extend(left_out(&others));
    loose(&mut plan, &dir, &photos);
    snapshots(&mut plan);
    if plan.items.is_empty() || plan.queries.is_empty() {
        return Err(Failure::Input(format!(
            "{}: nothing to search. Put in either a folder for each garment with two or more photos \
             (the last one is searched for), or photos of one garment each",
            dir.display()
        )));
    }
    let (items, queries) = (plan.items.len(), plan.queries.len());
    let name = dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned());
    plan.heading = format!("{name}: {} searched by {}", counted(items, "photo"), counted(queries, "photo"));
    Ok(plan)
}

/// A folder of one garment's photos: the last one is searched for.
fn garment(plan: &mut Plan, dir: &Path, folder: &Path, photos: &[PathBuf]) {
    let garment = relative(dir, folder);
    let wanted = |path: &PathBuf, label: &str| Wanted {
        id: relative(dir, path),
        garment: garment.clone(),
        label: label.to_owned(),
        title: relative(dir, path),
        picture: Picture::File(path.clone()),
    };
    match photos {
        [] => plan.notes.push(format!("{}: no photos", folder.display())),
        [only] => plan.items.push(wanted(only, "photo")),
        [first @ .., last] => {
            plan.items.extend(first.iter().map(|path| wanted(path, "photo")));
            plan.queries.push(wanted(last, "your photo"));
        }
    }
}

/// Photos beside the folders: each is a garment, those named `query*` are searched for.
fn loose(plan: &mut Plan, dir: &Path, files: &[PathBuf]) {
    let (asked, shown): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|path| is_query(path));
    let wanted = |path: &Path, id: String, label: &str, known: bool, picture: Picture| Wanted {
        id,
        garment: if known { relative(dir, path) } else { String::new() },
        label: label.to_owned(),
        title: relative(dir, path),
        picture,
    };
    for path in &shown {
        let picture = Picture::File((*path).clone());
        plan.items.push(wanted(path, relative(dir, path), "photo", true, picture));
    }
    for path in asked {
        let picture = Picture::File(path.clone());
        plan.queries.push(wanted(path, relative(dir, path), "your query", false, picture));
    }
}

/// Changed copies of some photos of the catalogue, where nothing else is there to search for.
fn snapshots(plan: &mut Plan) {
    if !plan.queries.is_empty() {
        return;
    }
    let count = SNAPSHOTS.min(plan.items.len());
    for place in 0..count {
        let item = &plan.items[place * plan.items.len() / count];
        let Picture::File(path) = &item.picture else { continue };
        let change = Change::ALL[place % Change::ALL.len()];
        plan.queries.push(Wanted {
            id: format!("{} ({})", item.id, change.name()),
            label: change.name().to_owned(),
            picture: Picture::Snapshot(path.clone(), change),
            ..item.clone()
        });
    }
}

fn is_query(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.starts_with("query")
}

/// What a folder holds, by name.
#[derive(Debug)]
pub struct Listed {
    /// Folders.
    pub folders: Vec<PathBuf>,
    /// Files that begin as a photo does.
    pub photos: Vec<PathBuf>,
    /// Other files, and why they are no photos.
    pub others: Vec<(PathBuf, String)>,
}

/// Looks into a folder; what is hidden is nobody's photo.
///
/// # Errors
/// The folder cannot be read.
pub fn list(dir: &Path) -> Result<Listed> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Failure::file(dir))? {
        let path = entry.map_err(Failure::file(dir))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            all.push(path);
        }
    }
    all.sort();
    let mut listed = Listed { folders: Vec::new(), photos: Vec::new(), others: Vec::new() };
    for path in all {
        if path.is_dir() {
            listed.folders.push(path);
        } else if !path.is_file() {
            // A pipe would be waited for without end.
            listed.others.push((path, "not a file".to_owned()));
        } else {
            match why_no_photo(&path) {
                None => listed.photos.push(path),
                Some(reason) => listed.others.push((path, reason)),
            }
        }
    }
    Ok(listed)
}

/// Why a file is no photo, by its first bytes. A damaged photo is one: the server says what is wrong with it.
fn why_no_photo(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if let Err(error) = read {
        return Some(error.to_string());
    }
    match grnet_image::probe(&head, &Limits::default()) {
        Err(
            error @ (Error::Empty
            | Error::UnknownFormat { .. }
            | Error::UnsupportedFormat { .. }
            | Error::NoImage { .. }),
        ) => Some(error.to_string()),
        _ => None,
    }
}

/// A line for each file that was left out.
pub fn left_out(others: &[(PathBuf, String)]) -> Vec<String> {
    let named = others.iter().take(NAMED).map(|(path, reason)| format!("left out: {}: {reason}", path.display()));
    let more = others.len().saturating_sub(NAMED);
    named.chain((more > 0).then(|| format!("left out: {more} more"))).collect()
}

fn relative(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned()
}

/// `1 photo`, `2 photos`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, files: &[&str]) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("grnet-demo-{}-{name}", std::process::id()));
        for file in files {
            let path = dir.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let begins: &[u8] =
                if file.ends_with("jpg") || file.ends_with("png") { b"\xff\xd8\xff\xe0" } else { b"text" };
            std::fs::write(path, begins).unwrap();
        }
        dir
    }

    fn ids(list: &[Wanted]) -> Vec<&str> {
        list.iter().map(|wanted| wanted.id.as_str()).collect()
    }

    #[test]
    fn the_last_photo_of_a_folder_is_searched_for() {
        let dir = folder("folders", &["coat/1.jpg", "coat/2.jpg", "coat/9.jpg", "hat/1.png", ".git/x"]);
        let plan = plan(&dir).unwrap();
        assert_eq!(ids(&plan.items), ["coat/1.jpg", "coat/2.jpg", "hat/1.png"]);
        assert_eq!(ids(&plan.queries), ["coat/9.jpg"]);
        assert_eq!(plan.queries[0].garment, "coat");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_no_photo_is_not_searched_for_but_named() {
        let dir = folder("mixed", &["coat/1.jpg", "coat/2.jpg", "coat/Thumbs.db", "coat/notes.txt", "readme"]);
        std::fs::write(dir.join("coat/empty.jpg"), "").unwrap();
        let plan = plan(&dir).unwrap();
        assert_eq!((ids(&plan.items), ids(&plan.queries)), (vec!["coat/1.jpg"], vec!["coat/2.jpg"]));
        let notes = plan.notes.join("\n");
        for name in ["Thumbs.db", "notes.txt", "empty.jpg", "readme"] {
            assert!(notes.contains(name), "{name} is not in:\n{notes}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn many_files_that_are_no_photos_are_counted() {
        let others: Vec<_> = (0..20).map(|n| (PathBuf::from(format!("{n}.txt")), "text".to_owned())).collect();
        let told = left_out(&others);
        assert_eq!((told.len(), told[12].as_str()), (13, "left out: 8 more"));
        assert!(left_out(&[]).is_empty());
    }

    #[test]
    fn files_named_query_are_searched_for() {
        let dir = folder("named", &["a.jpg", "b.jpg", "Query-1.jpg"]);
        let plan = plan(&dir).unwrap();
        assert_eq!(ids(&plan.items), ["a.jpg", "b.jpg"]);
        assert_eq!((ids(&plan.queries), plan.queries[0].garment.as_str()), (vec!["Query-1.jpg"], ""));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_flat_folder_is_searched_by_changed_copies() {
        let dir = folder("flat", &["a.jpg", "b.jpg"]);
        let plan = plan(&dir).unwrap();
        assert_eq!(ids(&plan.queries), ["a.jpg (cropped by us)", "b.jpg (blurred by us)"]);
        assert_eq!(plan.queries[1].garment, plan.items[1].garment);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn an_empty_folder_is_told_what_to_hold() {
        let dir = folder("empty", &[".keep"]);
        let told = plan(&dir).unwrap_err().to_string();
        assert!(told.contains("a folder for each garment"), "{told}");
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(plan(&dir).unwrap_err().to_string().contains("No such file"));
    }
}
