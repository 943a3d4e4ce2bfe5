//! A measurement of number types as a table for people.

use std::fmt::Write;

use grnet_nn::ranking::protocol::TOP;

use crate::quantize::report::{Report, SetReport};
use crate::text::{points, share};

/// A block for each set: the rankings in every number type, differences to f16, and how far scores move.
pub fn text(report: &Report) -> String {
    report.sets.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

fn block(set: &SetReport) -> String {
    let mut out = format!("{}: {} queries, {} images in the gallery", set.set, set.queries, set.gallery);
    for (count, what) in [(set.unreadable, "images cannot be read"), (set.without_item, "queries have no item")] {
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = write!(out, "; {count} {what}");
        }
    }
    let reference = set.variants.iter().find(|variant| variant.against.is_none()).map_or("", |v| v.name.as_str());
    let label = |what: &str, name: &str| format!("{what}, {name}");
    let names = set.variants.iter().map(|v| label("global", &v.name).len() + " - ".len() + reference.len());
    let width = names.max().unwrap_or(0);
    let heads: String = TOP.iter().map(|k| format!("{:>24}", format!("top-{k}"))).collect();
    let _ = write!(out, "\n{:<width$}{:>8}{heads}", "", "bytes");
    for what in ["graph", "global"] {
        for variant in &set.variants {
            let top = if what == "graph" { &variant.graph } else { &variant.global };
            let top: String = top.iter().map(share).collect();
            let _ = write!(out, "\n{:<width$}{:>8}{top}", label(what, &variant.name), variant.bytes);
        }
        for variant in &set.variants {
            let Some(against) = &variant.against else { continue };
            let gains = if what == "graph" { &against.graph } else { &against.global };
            let gains: String = gains.iter().map(points).collect();
            let label = format!("{} - {reference}", label(what, &variant.name));
            let _ = write!(out, "\n{label:<width$}{:>8}{gains}", "");
        }
    }
    let heads = ["logit: mean", "largest", "cosine: mean", "largest", "top-20 same", "in common"];
    let heads: String = heads.iter().map(|head| format!("{head:>14}")).collect();
    let _ = write!(out, "\n{:<width$}{heads}", format!("moved from {reference}"));
    for variant in &set.variants {
        let Some(against) = &variant.against else { continue };
        let moved = [against.logit.mean, against.logit.largest, against.cosine.mean, against.cosine.largest];
        let moved: String = moved.iter().map(|moved| format!("{moved:>14.5}")).collect();
        let _ =
            write!(out, "\n{:<width$}{moved}{:>14.3}{:>14.3}", variant.name, against.same_first, against.common_first);
    }
    out
}
