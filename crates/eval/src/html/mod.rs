//! An evaluation as one page for a browser: no script, nothing from elsewhere, light or dark as the reader has it.

mod costs;
mod curves;
mod figures;
mod images;
mod lengths;
mod strata;

use figures::{interval, percent, points};
use grnet_data::dataset::image::Image;
use grnet_nn::ranking::protocol::TOP;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::{Method, Report, SetReport};
use crate::text::left_out;

/// The page. `images` are those that the report's failures point to.
pub fn page(report: &Report, images: &[Image]) -> String {
    let names: Vec<&str> = report.models.iter().map(|model| model.name.as_str()).collect();
    let title = format!("Evaluation of {}", names.join(", "));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    (models(report))
                }
                @for set in &report.sets { (section(set, report, images)) }
                footer {
                    p {
                        "A query is right at k if an image of its garment is among the first k; one whose garment is not in \
                         the gallery is a miss, and a wrong image with an equal score stands in front. Intervals are those \
                         of 95 % of bootstrap resamples of the queries. A difference is taken query by query, so its \
                         interval is narrower than two shares suggest: where it leaves out 0, it is set in bold."
                    }
                    p { "grnet-engine " (env!("CARGO_PKG_VERSION")) }
                }
            }
        }
    };
    page.into_string()
}

fn models(report: &Report) -> Markup {
    let several = report.models.len() > 1;
    html! {
        div.scroll { table.models {
            thead { tr { th { "model" } th { "id" } th { "grids" } th { "channels" } th { "node size" } th { "layers" } th { "global cosine" } th { "MFLOP a pair" } } }
            tbody { @for (at, model) in report.models.iter().enumerate() { tr {
                th scope="row" {
                    @if several { span.key style=(figures::ink(Method::Graph, at, true)) {} }
                    (model.name)
                }
                td { code { (model.id) } }
                td { (model.grids.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")) }
                td { (model.channels) }
                td { (model.graph.dim) }
                td { (model.graph.layers) }
                td { (if model.graph.global_cosine { "yes" } else { "no" }) }
                td { (format!("{:.1}", model.mflop)) }
            } } }
        } }
    }
}

fn section(set: &SetReport, report: &Report, images: &[Image]) -> Markup {
    html! {
        section {
            h2 { (set.set) }
            p.lead { (headline(set)) }
            p.note {
                (set.queries) " queries, " (set.gallery) " images in the gallery" (left_out(set)) ". "
                @if report.shortlist < set.gallery { "The graph reorders the first " (report.shortlist) " of the global. " }
            }
            (table(set))
            figure {
                figcaption { b { "Right garment among the first k" } " % of queries; whiskers: 95 % intervals at 1, 5, 20, 50" }
                (curves::chart(set, report.models.len() > 1))
            }
            @if let Some(costs) = costs::chart(set, &report.models) { (costs) }
            @if !set.strata.is_empty() {
                figure {
                    figcaption { b { "By difficulty" } " % of queries, with 95 % intervals" }
                    (strata::chart(set, report.models.len() > 1))
                    @if !set.empty_strata.is_empty() { p.note { "No query is " (set.empty_strata.join(" or ")) "." } }
                }
            } @else {
                p.note { "No query's view, occlusion and cropping put it into a stratum." }
            }
            div.pair { @for lengths in &set.shortlists {
                figure {
                    figcaption {
                        b { "Length of the shortlist" @if report.models.len() > 1 { ", " (report.models[lengths.model].name) } }
                        " what the graph finds on it (%), and what PostgreSQL's scorer takes on one core"
                    }
                    (lengths::chart(&lengths.lengths))
                }
            } }
            @if !set.failures.is_empty() {
                h3 { "Worst failures" @if report.models.len() > 1 { " of " (report.models[0].name) } }
                p.note { "One for each garment. The query, its garment's best placed image, and the first images in front of that." }
                (images::sheet(&set.failures, images))
            }
        }
    }
}

/// The first model's graph in a sentence.
fn headline(set: &SetReport) -> Markup {
    let graph = set.rankings.iter().find(|ranking| ranking.method == Method::Graph);
    html! { @if let Some(graph) = graph {
        "The " (graph.name) " places the right garment first for " b { (percent(graph.top[0].value)) " %" }
        " of the queries, and among the first 20 for " b { (percent(graph.top[2].value)) " %" } "."
        @if let Some(gain) = graph.gains.first() {
            " Compared with the " (set.rankings[gain.over].name) " that is " (points(&gain.top[0])) " and "
            (points(&gain.top[2])) " points."
        }
    } }
}

fn table(set: &SetReport) -> Markup {
    html! {
        div.scroll { table.figures {
            thead { tr { th { "% of queries" } @for k in TOP { th { "top-" (k) } } } }
            tbody { @for ranking in &set.rankings { tr.graph[ranking.method == Method::Graph] {
                th scope="row" { (ranking.name) }
                @for share in &ranking.top { td { (percent(share.value)) small { (interval(share, percent)) } } }
            } } }
            @if set.rankings.iter().any(|ranking| !ranking.gains.is_empty()) {
                thead { tr { th { "difference in points" } @for k in TOP { th { "top-" (k) } } } }
                tbody { @for ranking in &set.rankings { @for gain in &ranking.gains { tr {
                    th scope="row" { (ranking.name) " − " (set.rankings[gain.over].name) }
                    @for points in &gain.top { td.sure[points.low > 0.0 || points.high < 0.0] {
                        (figures::signed(points.value)) small { (interval(points, figures::signed)) }
                    } }
                } } } }
            }
        } }
    }
}

#[cfg(test)]
mod tests;
