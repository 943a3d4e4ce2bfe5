use grnet_data::output::chart::{Axis, spread};
use grnet_features::config::Graph;
use grnet_score::metrics::Estimate;

use super::*;
use crate::report::{Failure, Gain, Model, Ranking, Shortlist, Shortlists, Shown, Stratum, StratumRanking};

fn estimates(value: f64) -> [Estimate; 4] {
    [0.0, 0.1, 0.2, 0.3].map(|more| Estimate {
        value: value + more,
        low: value + more - 0.05,
        high: value + more + 0.05,
    })
}

/// A report of two rankings whose every figure is another.
fn report(image: &std::path::Path) -> (Report, Vec<Image>) {
    let ranking = |method: Method, value: f64, gains: Vec<Gain>| Ranking {
        name: method.title().to_owned(),
        method,
        model: 0,
        top: estimates(value),
        curve: (0..100).map(|k| value + f64::from(k) / 300.0).collect(),
        gains,
    };
    let gain = || vec![Gain { over: 0, top: estimates(0.07) }];
    let shown = |image: usize| Shown { file: format!("a<b>&\"{image}.jpg"), image };
    let set = SetReport {
        set: "street <images>".to_owned(),
        queries: 71,
        gallery: 1234,
        unreadable: 3,
        without_item: 0,
        not_in_gallery: 5,
        rankings: vec![ranking(Method::Global, 0.312, Vec::new()), ranking(Method::Graph, 0.423, gain())],
        shortlists: vec![Shortlists {
            model: 0,
            lengths: [20, 1234]
                .map(|length| Shortlist {
                    length,
                    recall: 0.9,
                    top: estimates(0.4),
                    milliseconds: Some(length as f64 / 5.0),
                })
                .to_vec(),
        }],
        strata: vec![Stratum {
            name: "hard-view",
            queries: 17,
            rankings: vec![
                StratumRanking { top: estimates(0.211), gains: Vec::new() },
                StratumRanking { top: estimates(0.255), gains: gain() },
            ],
        }],
        empty_strata: vec!["easy"],
        failures: vec![Failure {
            query: shown(0),
            right: shown(1),
            rank: 641,
            global_rank: None,
            ahead: vec![shown(0)],
        }],
    };
    let model = Model {
        name: "mine".to_owned(),
        id: "0123456789abcdef".to_owned(),
        backbone: String::new(),
        grids: vec![1, 2],
        channels: 8,
        graph: Graph::default(),
        mflop: 7.25,
    };
    (
        Report { models: vec![model], shortlist: 1000, sets: vec![set] },
        vec![Image::new(image), Image::new("missing.jpg")],
    )
}

#[test]
fn the_page_has_every_figure_fetches_nothing_and_escapes_what_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("query.png");
    std::fs::write(&image, PNG).unwrap();
    let (report, images) = report(&image);
    let page = page(&report, &images);
    for figure in [
        "0123456789abcdef",
        "71 queries, 1234 images",
        "3 images cannot be read",
        "5 queries' items",
        "31.2",
        "42.3",
        "37.3 to 47.3",
        "+7.0",
        "17 queries",
        "25.5",
        "rank 641 (global none)",
        "No query is easy",
        "247",
    ] {
        assert!(page.contains(figure), "{figure} is missing");
    }
    assert!(page.contains("street &lt;images&gt;") && page.contains("a&lt;b&gt;&amp;&quot;0.jpg"));
    assert!(!page.contains("street <images>"));
    // The query's image is inside, the one that is gone leaves its place.
    assert!(page.matches("src=\"data:image/jpeg;base64,").count() == 2 && page.contains("not readable"));
    for elsewhere in ["http:", "https:", "url(", "<script", "<link", "@import"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

/// One white pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0x0f, 0x00, 0x01, 0x01, 0x01, 0x00, 0xb1, 0x38, 0xf6, 0x14, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[test]
fn an_axis_puts_equal_factors_equally_far_and_one_value_in_the_middle() {
    let axis = Axis::log(1.0, 100.0, 0.0, 200.0);
    assert!((axis.at(10.0) - 100.0).abs() < 1e-9);
    assert_eq!(axis.ticks(), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
    assert!((Axis::log(40.0, 40.0, 0.0, 200.0).at(40.0) - 100.0).abs() < 1e-9);
    assert_eq!(Axis::linear(0.5, 1.0, 300.0, 0.0).at(0.75), 150.0);
}

#[test]
fn labels_keep_apart_and_inside() {
    let placed = spread(&[50.0, 51.0, 52.0, 99.0, 99.5, 10.0], 10.0, 0.0, 100.0);
    let mut sorted = placed.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 10.0 - 1e-9), "{placed:?}");
    assert!(sorted[0] >= 0.0 && sorted[5] <= 100.0 && placed[5] == 10.0, "{placed:?}");
}

#[test]
fn models_that_cost_differently_are_drawn_by_their_cost() {
    let image = tempfile::NamedTempFile::new().unwrap();
    let (mut report, images) = report(image.path());
    assert!(!page(&report, &images).contains("Cost and top-1"), "one model alone");
    let mut other = report.models[0].clone();
    (other.name, other.mflop) = ("dearer".to_owned(), 18.5);
    report.models.push(other);
    let mut ranking = report.sets[0].rankings[1].clone();
    (ranking.model, ranking.top) = (1, estimates(0.477));
    report.sets[0].rankings.push(ranking);
    report.sets[0].strata.clear();
    let page = page(&report, &images);
    assert!(page.contains("dearer, 18.5 MFLOP: 47.7 %") && page.contains("mine, 7.2 MFLOP: 42.3 %"), "{page}");
}
