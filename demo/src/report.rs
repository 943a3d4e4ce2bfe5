//! What a run prints.

use crate::catalogue::Filled;
use crate::folder::counted;
use crate::ranking::{Figures, Ranking, Searched, TOPS};
use std::fmt::Write as _;

/// Names of photos that are listed one by one; the rest is counted.
const LISTED: usize = 12;

/// What became of the photos of a table.
pub fn filled(what: &str, filled: &Filled) -> String {
    let mut text = match (filled.new, filled.kept) {
        (0, 0) => format!("{what}: no photos"),
        (0, kept) => format!("{what}: {} there already", counted(kept, "photo")),
        (new, kept) => {
            let rate = new as f64 / filled.seconds.max(1e-9);
            let kept = if kept > 0 { format!(", {kept} there already") } else { String::new() };
            let new = counted(new, "photo");
            format!("{what}: {new} stored in {:.1} s ({rate:.1} photos/s){kept}", filled.seconds)
        }
    };
    for (id, reason) in filled.refused.iter().take(LISTED) {
        // Writing into a string does not fail, here and below.
        let _ = write!(text, "\n  left out: {id}: {reason}");
    }
    if filled.refused.len() > LISTED {
        let _ = write!(text, "\n  left out: {} more", filled.refused.len() - LISTED);
    }
    text
}

/// One line for each shown query.
pub fn queries(shown: &[&Searched]) -> String {
    let width = shown.iter().map(|one| one.title.chars().count()).max().unwrap_or(0).clamp(7, 44);
    let strata = shown.iter().map(|one| one.stratum.chars().count()).max().unwrap_or(0).max(7);
    let mut text =
        format!("{:<width$}  {:<strata$}  {:>10}  {:>13}\n", "searched", "stratum", "graph rank", "vector's rank");
    for one in shown {
        let title = shortened(&one.title, width);
        let _ = writeln!(
            text,
            "{title:<width$}  {:<strata$}  {:>10}  {:>13}",
            one.stratum,
            rank(one.graph.rank),
            rank(one.global.rank)
        );
    }
    text
}

/// Top-k of both ways of ranking.
pub fn figures(all: &[Figures]) -> String {
    let strata = all.iter().map(|row| row.stratum.chars().count()).max().unwrap_or(0).max(7);
    let mut text = format!("{:<strata$}  queries", "stratum");
    for who in ["graph", "vector"] {
        for top in TOPS {
            let _ = write!(text, "  {:>9}", format!("{who}@{top}"));
        }
    }
    text.push('\n');
    for row in all {
        let _ = write!(text, "{:<strata$}  {:>7}", row.stratum, row.queries);
        for share in row.graph.iter().chain(&row.global) {
            let _ = write!(text, "  {share:>9.3}");
        }
        text.push('\n');
    }
    text
}

/// How fast the answers came.
pub fn speed(ranking: &Ranking) -> String {
    let queries = ranking.searched.len().max(1) as f64;
    format!(
        "Graph: {} pairs scored in {:.2} s: {} pairs/s, {:.1} ms a query. Global vector: {:.1} ms a query.",
        thousands(ranking.pairs as f64),
        ranking.graph_seconds,
        thousands(ranking.pairs_per_second()),
        ranking.graph_seconds * 1000.0 / queries,
        ranking.global_seconds * 1000.0 / queries
    )
}

/// A rank, or that there is none.
pub fn rank(rank: Option<usize>) -> String {
    rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())
}

/// `14,400`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most so many letters.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end_matches([' ', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_long_words() {
        assert_eq!((thousands(0.4), thousands(1234567.0)), ("0".into(), "1,234,567".into()));
        assert_eq!(thousands(999.0), "999");
        assert_eq!(shortened("striped shirt, navy", 15), "striped shirt…");
        assert_eq!(shortened("shirt", 5), "shirt");
    }

    #[test]
    fn the_table_of_figures_is_aligned() {
        let row = Figures { stratum: "hard view".into(), queries: 12, graph: [0.5, 1.0, 1.0, 1.0], global: [0.25; 4] };
        let table = figures(&[row]);
        let widths: Vec<_> = table.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths[0], widths[1]);
        assert!(table.contains("graph@1") && table.contains("0.250"));
    }

    #[test]
    fn refused_photos_are_told_with_their_reasons() {
        let refused = (0..14).map(|n| (format!("{n}.txt"), "not a photo".to_owned())).collect();
        let text = filled("Catalogue", &Filled { new: 2, refused, seconds: 1.0, ..Filled::default() });
        assert!(text.contains("2 photos stored in 1.0 s (2.0 photos/s)"));
        assert!(text.contains("left out: 3.txt: not a photo") && text.ends_with("left out: 2 more"));
    }
}
