//! The demo: fill, rank, show.

use crate::arguments::{Place, Run};
use crate::database::{Database, quoted};
use crate::failure::{Failure, Result};
use crate::plan::Plan;
use crate::ranking::{Ranking, Searched};
use crate::thumbnails::Thumbnails;
use crate::{catalogue, folder, page, ranking, report, sheet, shop, statements};
use std::path::{Path, PathBuf};

/// Runs the demo.
///
/// # Errors
/// What [`Failure`] lists.
pub fn run(place: &Place, run: &Run) -> Result<()> {
    let plan = match &run.photos {
        Some(photos) => folder::plan(photos)?,
        None => shop::plan(run),
    };
    let (database, shown) = perform(place, plan)?;
    goodbye(&database, &shown);
    Ok(())
}

/// What the closing words need.
pub struct Shown {
    query: String,
    best: String,
    photo: PathBuf,
}

/// Everything from the cluster to the pictures.
///
/// # Errors
/// What [`Failure`] lists.
pub fn perform(place: &Place, mut plan: Plan) -> Result<(Database, Shown)> {
    // Before the work, not after it: a folder that cannot be written to.
    std::fs::create_dir_all(&place.out).map_err(Failure::file(&place.out))?;
    for note in &plan.notes {
        say!("  {note}");
    }
    let database = Database::open(place, &mut plan)?;
    say!("{}", plan.heading);
    let items = catalogue::fill(&database, catalogue::ITEMS, &plan.items, place.connections)?;
    say!("{}", report::filled("Catalogue", &items));
    let queries = catalogue::fill(&database, catalogue::QUERIES, &plan.queries, place.connections)?;
    say!("{}", report::filled("Queries", &queries));

    let ranking = ranking::rank(&database)?;
    let shown = ranking.chosen(usize::from(place.shown));
    let Some(first) = shown.first().filter(|first| !first.graph.matches.is_empty()) else {
        return Err(Failure::Input("no photo could be used: nothing to rank".to_owned()));
    };
    tell(&ranking, &shown);
    let last = show(place, &plan, &database, &ranking, &shown, first)?;
    Ok((database, last))
}

fn tell(ranking: &Ranking, shown: &[&Searched]) {
    say!("\n{}", report::queries(shown));
    let figures = ranking.figures();
    if !figures.is_empty() {
        say!("{}", report::figures(&figures));
    }
    say!("{}", report::speed(ranking));
}

fn show(
    place: &Place,
    plan: &Plan,
    database: &Database,
    ranking: &Ranking,
    shown: &[&Searched],
    first: &Searched,
) -> Result<Shown> {
    let thumbnails = Thumbnails::load(&mut database.connect()?, shown)?;
    let out = place.out.canonicalize().map_err(Failure::file(&place.out))?;
    let picture = sheet::draw(plan, ranking, shown, &thumbnails);
    let (picture_file, page_file) = (out.join("contact-sheet.png"), out.join("index.html"));
    let photo = out.join("query.jpg");
    let best = first.graph.matches.first().map(|best| best.id.clone()).unwrap_or_default();
    let examples = statements::examples(&first.id, &best, &quoted(&photo.display().to_string()));
    let html = page::write(
        &mut database.connect()?,
        &page::Content {
            plan,
            ranking,
            shown,
            thumbnails: &thumbnails,
            examples: &examples,
            shortlist: database.has_vector.then(|| statements::shortlist(&first.id, database.channels)),
        },
    )?;
    save(&photo, thumbnails.original())?;
    save(&picture_file, &sheet::png(&picture)?)?;
    save(&page_file, html.as_bytes())?;
    say!("\nPicture  {}\nPage     {}", picture_file.display(), page_file.display());
    Ok(Shown { query: first.id.clone(), best, photo })
}

/// By rename: a browser or an interruption never meets half a file.
fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    std::fs::write(&new, bytes).map_err(Failure::file(&new))?;
    std::fs::rename(&new, path).map_err(Failure::file(path))
}

fn goodbye(database: &Database, shown: &Shown) {
    say!("\nGo on with SQL:\n\n  {}\n", database.psql());
    let photo = quoted(&shown.photo.display().to_string());
    for example in statements::examples(&shown.query, &shown.best, &photo) {
        say!("-- {}\n{}\n", example.about, example.sql);
    }
    say!("The server goes on running; its log is {}", database.log());
    say!("make stop-demo stops it, make clean-demo removes it with all its data.");
}
