//! The judgement on real photos: front photos in the gallery, backs and details as queries, any colour of the same style
//! is a hit.

use crate::arguments::Evaluate;
use crate::failure::{Failure, Result};
use crate::folder;
use crate::job;
use crate::picture::Picture;
use crate::plan::{Plan, Wanted};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Fills a database of its own with the photos, ranks and shows.
///
/// # Errors
/// What [`Failure`] lists.
pub fn run(evaluate: &Evaluate) -> Result<()> {
    let csv = &evaluate.gallery_csv;
    let text = std::fs::read_to_string(csv).map_err(Failure::file(csv))?;
    let mut plan =
        plan(&text, &evaluate.photos).map_err(|reason| Failure::Input(format!("{}: {reason}", csv.display())))?;
    for dir in &evaluate.distractors {
        let dir = dir.canonicalize().map_err(Failure::file(dir))?;
        let listed = folder::list(&dir)?;
        plan.notes.extend(folder::left_out(&listed.others));
        plan.items.extend(listed.photos.into_iter().map(distractor));
    }
    let queries = plan.queries.len();
    plan.heading = format!("{} gallery photos, {queries} other photos", plan.items.len());
    let (database, _) = job::perform(&evaluate.place, plan)?;
    say!("\nGo on with SQL:\n\n  {}", database.psql());
    Ok(())
}

/// A photo that belongs to no query. Its name has the folder in it: another folder may hold a file that is called the same.
fn distractor(path: PathBuf) -> Wanted {
    let id = format!("distractor{}", path.display());
    let title = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Wanted { garment: id.clone(), id, label: "distractor".to_owned(), title, picture: Picture::File(path) }
}

/// The plan of a CSV file with the columns file, style and view.
fn plan(text: &str, photos: &Path) -> std::result::Result<Plan, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = fields(lines.next().unwrap_or_default());
    let column = |name: &str| {
        let place = header.iter().position(|field| field == name);
        place.ok_or_else(|| format!("there is no column {name}"))
    };
    let (file, style, view) = (column("file")?, column("style")?, column("view")?);
    let mut plan = Plan {
        database: "evaluation",
        heading: String::new(),
        items: Vec::new(),
        queries: Vec::new(),
        parameters: vec![("photos".to_owned(), photos.display().to_string())],
        notes: Vec::new(),
    };
    for (number, line) in lines.enumerate() {
        let fields = fields(line);
        let get = |place: usize| fields.get(place).cloned().ok_or_else(|| format!("line {} is too short", number + 2));
        let (file, style, view) = (get(file)?, get(style)?, get(view)?);
        let wanted = Wanted {
            picture: Picture::File(photos.join(&file)),
            title: style.clone(),
            garment: style,
            label: view,
            id: file,
        };
        if wanted.label == "main" { &mut plan.items } else { &mut plan.queries }.push(wanted);
    }
    // What has no answer in the gallery, and the pictures of whole outfits, are stored, but not asked: no stratum.
    let known: HashSet<&str> = plan.items.iter().map(|item| item.garment.as_str()).collect();
    for query in &mut plan.queries {
        let judged = matches!(query.label.as_str(), "back" | "detail");
        if !judged || !known.contains(query.garment.as_str()) {
            query.label.clear();
        }
    }
    Ok(plan)
}

/// The fields of a CSV line; quotes hold commas, doubled quotes a quote.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields[last].push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line() {
        assert_eq!(fields(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
        assert_eq!(fields(""), [""]);
    }

    #[test]
    fn main_photos_are_the_gallery() {
        let text = "file,style,view\na.jpg,s1,main\nb.jpg,s1,back\nc.jpg,s2,detail\nd.jpg,s1,outfit\n";
        let plan = plan(text, Path::new("photos")).unwrap();
        assert_eq!((plan.items.len(), plan.queries.len()), (1, 3));
        let strata: Vec<_> = plan.queries.iter().map(|query| query.label.as_str()).collect();
        assert_eq!(strata, ["back", "", ""]);
    }

    #[test]
    fn distractors_of_two_folders_are_two() {
        let (one, other) = (distractor("/a/1.jpg".into()), distractor("/b/1.jpg".into()));
        assert_ne!(one.id, other.id);
        assert_ne!(one.garment, other.garment);
        assert_eq!((one.id.as_str(), one.title.as_str()), ("distractor/a/1.jpg", "1.jpg"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        assert_eq!(plan("file,view\n", Path::new("")).unwrap_err(), "there is no column style");
        let short = plan("file,style,view\na.jpg\n", Path::new("")).unwrap_err();
        assert_eq!(short, "line 2 is too short");
    }
}
