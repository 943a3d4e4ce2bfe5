//! The plan of the rendered demo: a shop's catalogue, and consumers who saw something of it.

use crate::arguments::Run;
use crate::picture::Picture;
use crate::plan::{Plan, Wanted};
use crate::strata;
use grnet_render::Catalogue;

/// Raised when the renderer or the tables change, so that an older catalogue is not taken for today's.
const EDITION: u32 = 1;

/// Which photos are drawn.
pub fn plan(run: &Run) -> Plan {
    let catalogue = Catalogue::new(u64::from(run.seed));
    let (count, size) = (u64::from(run.items), run.size);
    let name = |number: u64| format!("garment-{:04}", number + 1);
    let items = (0..count).map(|number| {
        let item = catalogue.item(number);
        Wanted {
            id: name(number),
            garment: name(number),
            label: item.kind.to_string(),
            title: item.title(),
            picture: Picture::Shop { catalogue, item: number, size },
        }
    });
    let queries = queried(count, u64::from(run.queries));
    let queries = queries.iter().enumerate().map(|(place, &number)| {
        let (difficulty, stratum) = strata::ALL[place % strata::ALL.len()];
        Wanted {
            id: format!("snapshot-{:03}", place + 1),
            garment: name(number),
            label: stratum.to_owned(),
            title: catalogue.item(number).title(),
            picture: Picture::Consumer { catalogue, item: number, difficulty, size },
        }
    });
    let parameters =
        [("edition", EDITION), ("items", run.items), ("queries", run.queries), ("size", run.size), ("seed", run.seed)];
    Plan {
        database: "demo",
        heading: format!("{count} shop photos, searched by {} snapshots", queries.len()),
        items: items.collect(),
        queries: queries.collect(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_string())).into(),
        notes: Vec::new(),
    }
}

/// Garments that a snapshot is taken of: spread over the catalogue, each once.
fn queried(items: u64, queries: u64) -> Vec<u64> {
    // A stride without a common divisor visits every garment once; kinds repeat every 12, families every 48.
    let stride = (items * 5 / 13..).find(|&stride| stride > 0 && gcd(stride, items) == 1);
    let stride = stride.unwrap_or(1);
    (0..queries.min(items)).map(|place| place * stride % items).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_garment_is_queried_at_most_once() {
        for (items, queries) in [(1, 60), (2, 60), (48, 48), (240, 60), (1000, 10)] {
            let mut list = queried(items, queries);
            assert_eq!(list.len() as u64, queries.min(items));
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len() as u64, queries.min(items), "{items}");
            assert!(list.iter().all(|&number| number < items));
        }
    }

    #[test]
    fn sixty_queries_meet_every_kind() {
        let mut kinds: Vec<u64> = queried(240, 60).iter().map(|number| number % 12).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), 12);
    }
}
