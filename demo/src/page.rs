//! The page: everything that the sheet shows, why the best matches match, and the SQL, in one file.

use crate::failure::{Failure, Result};
use crate::picture::jpeg;
use crate::plan::Plan;
use crate::ranking::{Answer, Figures, Ranking, Searched, TOPS};
use crate::report;
use crate::sheet::{place_in_words, probability};
use crate::statements::{self, Example};
use crate::thumbnails::Thumbnails;
use base64::Engine;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use postgres::Client;
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// What the page shows.
pub struct Content<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// All answers.
    pub ranking: &'a Ranking,
    /// The queries that are shown.
    pub shown: &'a [&'a Searched],
    /// Their pictures.
    pub thumbnails: &'a Thumbnails,
    /// Queries to try.
    pub examples: &'a [Example],
    /// The graph over pgvector's shortlist, where pgvector is there.
    pub shortlist: Option<String>,
}

/// Writes the page; the client is asked for the maps of the best matches.
///
/// # Errors
/// A statement failed, or a picture could not be encoded.
pub fn write(client: &mut Client, content: &Content) -> Result<String> {
    let Content { plan, ranking, shown, thumbnails, .. } = content;
    let all = ranking.searched.len();
    let which = if shown.len() < all {
        format!(" {} of the {all} searches are shown; each stratum takes its turn.", shown.len())
    } else {
        String::new()
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <title>Same-garment search in PostgreSQL</title>\n<style>\n{STYLE}</style>\n\
         <header><h1>Same-garment search in PostgreSQL</h1><p>{}.{which} The right garment is framed in green; below each \
         answer of the graph stands what one global vector of the same network finds.</p></header>\n<main>\n",
        escaped(&plan.heading)
    );
    html.push_str(&summary(ranking));
    for (place, one) in shown.iter().enumerate() {
        html.push_str(&search(client, one, thumbnails, place == 0)?);
    }
    html.push_str(&sql(content));
    html.push_str("</main>\n</html>\n");
    Ok(html)
}

fn summary(ranking: &Ranking) -> String {
    let figures = ranking.figures();
    let mut html = String::from("<section class=\"summary\">");
    if !figures.is_empty() {
        html.push_str(
            "<div class=\"scroll\"><table><thead><tr><th rowspan=\"2\" scope=\"col\">Stratum</th>\
             <th rowspan=\"2\" scope=\"col\">Searches</th><th colspan=\"4\" scope=\"colgroup\">Graph</th>\
             <th colspan=\"4\" scope=\"colgroup\" class=\"second edge\">Global vector</th></tr><tr>",
        );
        for group in ["", "second"] {
            for (place, top) in TOPS.iter().enumerate() {
                // Writing into a string does not fail, here and below.
                let class = cell_class(group, place);
                let _ = write!(html, "<th scope=\"col\" class=\"{class}\">top-{top}</th>");
            }
        }
        html.push_str("</tr></thead><tbody>");
        for row in &figures {
            html.push_str(&figures_row(row));
        }
        html.push_str("</tbody></table></div>");
    }
    let _ = writeln!(html, "<p class=\"speed\">{}</p></section>", escaped(&report::speed(ranking)));
    html
}

/// The second group is set off by a line.
fn cell_class(group: &'static str, place: usize) -> &'static str {
    match (group, place) {
        ("second", 0) => "second edge",
        (group, _) => group,
    }
}

fn figures_row(row: &Figures) -> String {
    let mut html = format!("<tr><th scope=\"row\">{}</th><td>{}</td>", escaped(&row.stratum), row.queries);
    for (mine, rival, group) in [(&row.graph, &row.global, ""), (&row.global, &row.graph, "second")] {
        for (place, (share, rival)) in mine.iter().zip(rival).enumerate() {
            let better = if share > rival { " better" } else { "" };
            let class = cell_class(group, place);
            let _ = write!(html, "<td class=\"{class}{better}\">{share:.3}</td>");
        }
    }
    html.push_str("</tr>");
    html
}

fn search(client: &mut Client, one: &Searched, thumbnails: &Thumbnails, open: bool) -> Result<String> {
    let query = thumbnails.query(&one.id);
    let mut html = format!(
        "<article><div class=\"asked\"><img src=\"{}\" alt=\"the photo that is searched for\"><h2>{}</h2>\
         <p><span class=\"chip\">{}</span></p></div><div class=\"answers\">",
        data_uri(query, 85)?,
        escaped(&one.title),
        escaped(&one.stratum)
    );
    html.push_str(&answer("Graph", one, &one.graph, thumbnails, true)?);
    html.push_str(&answer("Global vector", one, &one.global, thumbnails, false)?);
    if let Some(best) = one.graph.matches.first() {
        let _ = write!(
            html,
            "<details{}><summary>Why does <b>{title}</b> match?</summary><img class=\"why\" src=\"{}\" \
             alt=\"both photos, the windows that decided joined\"></details>",
            if open { " open" } else { "" },
            data_uri(&match_map(client, &one.id, &best.id)?, 85)?,
            title = escaped(&best.title)
        );
    }
    html.push_str("</div></article>\n");
    Ok(html)
}

/// The map as the engine drew it. It becomes a JPEG in the page: as a PNG each one would take half a megabyte.
fn match_map(client: &mut Client, query: &str, item: &str) -> Result<RgbImage> {
    let row = client.query_one(statements::MATCH_MAP, &[&query, &item]).map_err(Failure::sql("explaining a match"))?;
    Ok(image::load_from_memory_with_format(row.get(0), ImageFormat::Png)?.into_rgb8())
}

fn answer(who: &str, one: &Searched, answer: &Answer, thumbnails: &Thumbnails, graph: bool) -> Result<String> {
    let rank = answer.rank.filter(|_| one.answerable).map(|rank| {
        let class = if rank == 1 { "rank first" } else { "rank" };
        format!(" <span class=\"{class}\">{}</span>", place_in_words(rank))
    });
    let class = if graph { "row" } else { "row small" };
    let mut html = format!("<h3>{who}{}</h3><ol class=\"{class}\">", rank.unwrap_or_default());
    for found in &answer.matches {
        let picture = thumbnails.item(&found.id);
        let source = if graph { data_uri(picture, 80)? } else { data_uri(&smaller(picture), 80)? };
        let number = if graph { probability(found.score) } else { format!("{:.3}", found.score) };
        let right = if found.right { " class=\"right\"" } else { "" };
        let title = escaped(&found.title);
        let _ = write!(
            html,
            "<li{right}><img src=\"{source}\" alt=\"{title}\" title=\"{title}\"><span>{number}</span></li>"
        );
    }
    html.push_str("</ol>");
    Ok(html)
}

fn sql(content: &Content) -> String {
    let mut html = String::from("<section class=\"sql\"><h2>The SQL behind it</h2>");
    let mut block = |about: &str, sql: &str| {
        let _ = write!(html, "<h3>{}</h3><pre>{}</pre>", escaped(about), escaped(sql.trim()));
    };
    block("The tables; a trigger computes the features", statements::TABLES);
    block("The ranking by the graph", statements::BY_GRAPH);
    block("The ranking by the global vector", statements::BY_GLOBAL);
    block("The picture that says why", statements::MATCH_MAP);
    for example in content.examples {
        block(&format!("To try in psql: {}", example.about), &example.sql);
    }
    if let Some(shortlist) = &content.shortlist {
        block("For large catalogues: the graph over a shortlist of pgvector's", shortlist);
    }
    html.push_str("</section>\n");
    html
}

fn smaller(picture: &RgbImage) -> RgbImage {
    let side = |length: u32| (length / 2).max(1);
    resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

/// A picture that travels inside the page.
///
/// # Errors
/// It cannot be encoded.
pub fn data_uri(picture: &RgbImage, quality: u8) -> Result<String> {
    let text = base64::engine::general_purpose::STANDARD.encode(jpeg(picture, quality)?);
    Ok(format!("data:image/jpeg;base64,{text}"))
}

/// Text as it may stand in HTML, inside quotes too.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_do_no_harm() {
        let name = r#"<script>alert("1")</script> & 'x'.jpg"#;
        let expected = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;.jpg";
        assert_eq!(escaped(name), expected);
    }

    #[test]
    fn the_better_figure_is_marked() {
        let row = Figures { stratum: "a<b".into(), queries: 2, graph: [1.0; 4], global: [0.5, 1.0, 1.0, 1.0] };
        let html = figures_row(&row);
        assert!(html.contains("a&lt;b") && html.matches("better").count() == 1, "{html}");
    }

    #[test]
    fn pictures_travel_inside() {
        let uri = data_uri(&RgbImage::new(4, 4), 80).unwrap();
        assert!(uri.starts_with("data:image/jpeg;base64,/9j/"));
    }
}
