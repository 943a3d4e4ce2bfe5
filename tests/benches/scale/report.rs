//! The results as text, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use crate::measure::{Crowd, EightBits, Figures, Kind};

/// All about one size.
#[derive(Debug)]
pub struct Step {
    /// Items.
    pub size: usize,
    /// How long the index took.
    pub built: Duration,
    /// Bytes of the table, features included.
    pub table: u64,
    /// Bytes of the index of global vectors.
    pub index: u64,
    /// One client.
    pub figures: Vec<Figures>,
    /// Several clients.
    pub crowds: Vec<Crowd>,
    /// Eight bits a number.
    pub eight_bits: Option<EightBits>,
}

impl Step {
    /// The figures of a ranking.
    pub fn of(&self, kind: Kind, passing: usize) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.query.kind == kind && figures.query.passing == passing)
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Tables in the format of the documentation.
pub fn text(steps: &[Step]) -> String {
    let mut out = String::from(
        "\n| items | ranking | p50, ms | p95, ms | recall@20 | rows | buffers |\n|---|---|---|---|---|---|---|\n",
    );
    for Step { size, figures, .. } in steps {
        for Figures { query, p50, p95, recall, rows, buffers } in figures {
            let name = query.name();
            _ = writeln!(out, "| {size} | {name} | {p50:.1} | {p95:.1} | {recall:.3} | {rows:.1} | {buffers:.0} |");
        }
    }
    out += "\n| items | ranking | clients | queries/s | p50, ms | p95, ms |\n|---|---|---|---|---|---|\n";
    for Step { size, crowds, .. } in steps {
        for Crowd { query, clients, rate, p50, p95 } in crowds {
            _ = writeln!(out, "| {size} | {} | {clients} | {rate:.1} | {p50:.1} | {p95:.1} |", query.name());
        }
    }
    out += "\n| items | table, MB | index, MB | index built in, s |\n|---|---|---|---|\n";
    for step in steps {
        let (table, index) = (megabytes(step.table), megabytes(step.index));
        _ = writeln!(out, "| {} | {table:.1} | {index:.1} | {:.1} |", step.size, step.built.as_secs_f64());
    }
    for step in steps {
        if let Some(EightBits { bytes, half_bytes, recall, p50 }) = &step.eight_bits {
            let share = *bytes as f64 / *half_bytes as f64;
            let half = step.of(Kind::Exact, 100).map_or(f64::NAN, |exact| exact.p50);
            _ = writeln!(
                out,
                "\n{} items in eight bits: {share:.3} of the bytes, {:.1} MB instead of {:.1}; of the first 20 in half \
                 precision {recall:.4} are found; {p50:.1} ms, in half precision {half:.1}",
                step.size,
                megabytes(*bytes),
                megabytes(*half_bytes)
            );
        }
    }
    for (kind, name) in
        [(Kind::Shortlist(100), "100"), (Kind::Shortlist(200), "200"), (Kind::Shortlist(1_000), "1,000")]
    {
        for (less, more) in steps.iter().zip(steps.iter().skip(1)) {
            if let (Some(a), Some(b)) = (less.of(kind, 100), more.of(kind, 100)) {
                // To a decade, where the sizes are others.
                let decades = (more.size as f64 / less.size as f64).log10();
                let (ratio, decade) = (b.p50 / a.p50, (b.p50 / a.p50).powf(1.0 / decades));
                _ = writeln!(
                    out,
                    "shortlist {name}: {} items take {ratio:.2} times as long as {}, {decade:.2} a decade",
                    more.size, less.size
                );
            }
        }
    }
    out
}

/// One line a measurement.
pub fn csv(steps: &[Step]) -> String {
    let mut out =
        String::from("items,ranking,passing_percent,clients,p50_ms,p95_ms,queries_per_s,recall,rows,buffers\n");
    for Step { size, figures, crowds, .. } in steps {
        for Figures { query, p50, p95, recall, rows, buffers } in figures {
            let name = crate::measure::Query { passing: 100, ..*query }.name();
            _ = writeln!(
                out,
                "{size},\"{name}\",{},1,{p50:.3},{p95:.3},,{recall:.4},{rows:.2},{buffers:.0}",
                query.passing
            );
        }
        for Crowd { query, clients, rate, p50, p95 } in crowds {
            _ = writeln!(out, "{size},\"{}\",100,{clients},{p50:.3},{p95:.3},{rate:.2},,,", query.name());
        }
    }
    out
}
