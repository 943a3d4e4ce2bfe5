//! What a run works on: which photos make the catalogue, which are searched for.

use crate::failure::Result;
use crate::picture::Picture;
use std::fmt::Write as _;

/// A photo to be stored.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The row's key: the same in every run.
    pub id: String,
    /// The garment that it shows; empty where nobody knows.
    pub garment: String,
    /// The kind of garment, or for a query the stratum.
    pub label: String,
    /// A line about it.
    pub title: String,
    /// Where the photo comes from.
    pub picture: Picture,
}

impl Wanted {
    /// The bytes of the photo, or why there are none.
    ///
    /// # Errors
    /// As [`Picture::bytes`].
    pub fn bytes(&self) -> Result<std::result::Result<Vec<u8>, String>> {
        self.picture.bytes()
    }
}

/// Everything that a run is about.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The database of this run.
    pub database: &'static str,
    /// The heading of sheet and page.
    pub heading: String,
    /// The catalogue.
    pub items: Vec<Wanted>,
    /// The photos to search for.
    pub queries: Vec<Wanted>,
    /// What the stored photos depend on: when one of these changes, the run begins anew.
    pub parameters: Vec<(String, String)>,
    /// What to say about photos that were left out from the start.
    pub notes: Vec<String>,
}

impl Plan {
    /// What `before` and the parameters of now differ in; `None` if in nothing.
    pub fn changes(&self, before: &[(String, String)]) -> Option<String> {
        let mut text = String::new();
        for (name, now) in &self.parameters {
            let was = before.iter().find(|(other, _)| other == name);
            if was.is_some_and(|(_, was)| was == now) {
                continue;
            }
            let was = was.map_or("unknown", |(_, was)| was.as_str());
            let separator = if text.is_empty() { "" } else { ", " };
            // Writing into a string does not fail.
            let _ = write!(text, "{separator}{name} was {was} and is {now}");
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(parameters: &[(&str, &str)]) -> Plan {
        Plan {
            database: "demo",
            heading: String::new(),
            items: Vec::new(),
            queries: Vec::new(),
            parameters: pairs(parameters),
            notes: Vec::new(),
        }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn equal_parameters_go_on() {
        let plan = plan(&[("seed", "1"), ("items", "240")]);
        assert_eq!(plan.changes(&pairs(&[("items", "240"), ("seed", "1")])), None);
    }

    #[test]
    fn a_change_is_named() {
        let plan = plan(&[("seed", "1"), ("items", "300"), ("size", "384")]);
        let told = plan.changes(&pairs(&[("items", "240"), ("seed", "1")]));
        let expected = "items was 240 and is 300, size was unknown and is 384";
        assert_eq!(told.as_deref(), Some(expected));
    }
}
