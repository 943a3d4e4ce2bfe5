//! The answers: who comes first by the graph, who by the plain global vector.

use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::statements;
use postgres::{Client, Row};
use std::time::Instant;

/// Places that are shown.
pub const PLACES: usize = 8;
/// The k of top-k.
pub const TOPS: [usize; 4] = [1, 5, 20, 50];

/// One photo of the catalogue in an answer.
#[derive(Debug, Clone)]
pub struct Match {
    /// Its key.
    pub id: String,
    /// A line about it.
    pub title: String,
    /// Matching probability, or cosine.
    pub score: f64,
    /// Whether it is the garment that was searched for.
    pub right: bool,
}

/// The answer of one way of ranking.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The first places.
    pub matches: Vec<Match>,
    /// The place of the first right photo, from 1.
    pub rank: Option<usize>,
}

/// One query with both answers.
#[derive(Debug, Clone, Default)]
pub struct Searched {
    /// The query's key.
    pub id: String,
    /// Its stratum.
    pub stratum: String,
    /// What it shows.
    pub title: String,
    /// Whether the catalogue has the garment at all.
    pub answerable: bool,
    /// By `features <-> query`.
    pub graph: Answer,
    /// By the global vector's cosine.
    pub global: Answer,
}

/// All answers of a run.
#[derive(Debug, Default)]
pub struct Ranking {
    /// In the order of the queries' keys.
    pub searched: Vec<Searched>,
    /// Pairs that the graph scored.
    pub pairs: usize,
    /// Seconds that the graph's statements took.
    pub graph_seconds: f64,
    /// Seconds that the global vector's statements took.
    pub global_seconds: f64,
}

/// Ranks the catalogue for every query, twice.
///
/// # Errors
/// A statement failed.
pub fn rank(database: &Database) -> Result<Ranking> {
    let mut client = database.connect()?;
    let queries = client
        .query(
            "SELECT id, garment, stratum, title FROM query \
             WHERE features IS NOT NULL AND stratum <> '' ORDER BY id",
            &[],
        )
        .map_err(Failure::sql("reading the queries"))?;
    let mut ranking = Ranking::default();
    let progress = Progress::new("Ranking", "queries", queries.len() as u64);
    for row in &queries {
        let (id, garment): (String, String) = (row.get(0), row.get(1));
        let start = Instant::now();
        let graph = ask(&mut client, statements::BY_GRAPH, &id)?;
        let between = Instant::now();
        let global = ask(&mut client, statements::BY_GLOBAL, &id)?;
        ranking.graph_seconds += (between - start).as_secs_f64();
        ranking.global_seconds += between.elapsed().as_secs_f64();
        ranking.pairs += graph.len();
        let graph = answer(&graph, &garment, |distance| (-distance).exp());
        ranking.searched.push(Searched {
            id,
            stratum: row.get(2),
            title: row.get(3),
            answerable: graph.rank.is_some(),
            graph,
            global: answer(&global, &garment, |cosine| cosine),
        });
        progress.step();
    }
    Ok(ranking)
}

fn ask(client: &mut Client, statement: &str, id: &str) -> Result<Vec<Row>> {
    client.query(statement, &[&id]).map_err(Failure::sql("ranking"))
}

fn answer(rows: &[Row], garment: &str, score: impl Fn(f64) -> f64) -> Answer {
    let right = |row: &Row| !garment.is_empty() && row.get::<_, &str>(1) == garment;
    Answer {
        rank: rows.iter().position(right).map(|place| place + 1),
        matches: rows
            .iter()
            .take(PLACES)
            .map(|row| Match { id: row.get(0), title: row.get(2), score: score(row.get(3)), right: right(row) })
            .collect(),
    }
}

/// How often the right garment is among the first places, of the queries of one stratum or all.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The stratum, or `all`.
    pub stratum: String,
    /// Queries whose garment is in the catalogue.
    pub queries: usize,
    /// Shares within [`TOPS`] by the graph.
    pub graph: [f64; 4],
    /// Shares within [`TOPS`] by the global vector.
    pub global: [f64; 4],
}

impl Ranking {
    /// The figures of all queries, then of each stratum in the order of its first query; none without a known answer.
    pub fn figures(&self) -> Vec<Figures> {
        let known: Vec<&Searched> = self.searched.iter().filter(|one| one.answerable).collect();
        if known.is_empty() {
            return Vec::new();
        }
        let mut all = vec![figures("all", &known)];
        let strata = self.strata();
        if strata.len() > 1 {
            all.extend(strata.iter().filter_map(|stratum| {
                let of: Vec<_> = known.iter().copied().filter(|one| one.stratum == *stratum).collect();
                (!of.is_empty()).then(|| figures(stratum, &of))
            }));
        }
        all
    }

    /// The queries to show: strata take turns, spread over each, so that nobody picks the pretty ones.
    pub fn chosen(&self, count: usize) -> Vec<&Searched> {
        let mut groups: Vec<Vec<&Searched>> = self
            .strata()
            .iter()
            .map(|stratum| self.searched.iter().filter(|one| one.stratum == *stratum).collect())
            .collect();
        // A turn gives a place to every stratum that has another query, until the places are used up.
        let mut places = vec![0; groups.len()];
        let mut left = count.min(self.searched.len());
        while left > 0 {
            for (place, group) in places.iter_mut().zip(&groups) {
                if *place < group.len() && left > 0 {
                    *place += 1;
                    left -= 1;
                }
            }
        }
        for (group, take) in groups.iter_mut().zip(places) {
            let all = group.len();
            *group = (0..take).map(|place| group[place * all / take]).collect();
        }
        let turns = (0..count).flat_map(|turn| groups.iter().filter_map(move |group| group.get(turn)));
        turns.copied().collect()
    }

    /// Pairs of photos that the graph scored in a second.
    pub fn pairs_per_second(&self) -> f64 {
        self.pairs as f64 / self.graph_seconds.max(1e-9)
    }

    fn strata(&self) -> Vec<&str> {
        let mut strata: Vec<&str> = Vec::new();
        for one in &self.searched {
            if !strata.contains(&one.stratum.as_str()) {
                strata.push(&one.stratum);
            }
        }
        strata
    }
}

fn figures(stratum: &str, of: &[&Searched]) -> Figures {
    let share = |rank: &dyn Fn(&Searched) -> Option<usize>, top: usize| {
        let hits = of.iter().filter(|one| rank(one).is_some_and(|rank| rank <= top)).count();
        hits as f64 / of.len().max(1) as f64
    };
    Figures {
        stratum: stratum.to_owned(),
        queries: of.len(),
        graph: TOPS.map(|top| share(&|one| one.graph.rank, top)),
        global: TOPS.map(|top| share(&|one| one.global.rank, top)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(stratum: &str, graph: Option<usize>, global: Option<usize>) -> Searched {
        let answer = |rank| Answer { matches: Vec::new(), rank };
        Searched {
            id: format!("{stratum}-{graph:?}"),
            stratum: stratum.to_owned(),
            answerable: graph.is_some(),
            graph: answer(graph),
            global: answer(global),
            ..Searched::default()
        }
    }

    fn ranking(searched: Vec<Searched>) -> Ranking {
        Ranking { searched, ..Ranking::default() }
    }

    #[test]
    fn shares_of_hits() {
        let ranking = ranking(vec![
            searched("easy", Some(1), Some(1)),
            searched("easy", Some(5), Some(6)),
            searched("mixed", Some(21), Some(51)),
            searched("mixed", None, None),
        ]);
        let figures = ranking.figures();
        assert_eq!(figures.len(), 3);
        assert_eq!((figures[0].queries, figures[1].queries, figures[2].queries), (3, 2, 1));
        assert_eq!(figures[1].graph, [0.5, 1.0, 1.0, 1.0]);
        assert_eq!(figures[1].global, [0.5, 0.5, 1.0, 1.0]);
        assert_eq!(figures[2].graph, [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(figures[2].global, [0.0; 4]);
    }

    #[test]
    fn without_known_answers_there_are_no_figures() {
        assert!(ranking(vec![searched("your query", None, None)]).figures().is_empty());
        assert!(ranking(Vec::new()).figures().is_empty());
        assert!(ranking(Vec::new()).chosen(10).is_empty());
    }

    #[test]
    fn strata_take_turns() {
        let list = (1..=6).map(|n| searched(if n < 5 { "a" } else { "b" }, Some(n), None));
        let ranking = ranking(list.collect());
        let shown: Vec<_> = ranking.chosen(4).iter().map(|one| (one.stratum.as_str(), one.graph.rank)).collect();
        assert_eq!(shown, [("a", Some(1)), ("b", Some(5)), ("a", Some(3)), ("b", Some(6))]);
        assert_eq!(ranking.chosen(5).len(), 5);
        assert_eq!(ranking.chosen(99).len(), 6);
    }
}
