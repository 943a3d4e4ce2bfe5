//! What must hold of a score: the fast path agrees with the oracle, and both have the properties of the equations.

mod common;

use common::{head, heads, image};
use grnet_features::config::Graph;
use grnet_features::pyramid;
use grnet_score::definition;
use grnet_score::scorer::{Scorer, Workspace};
use grnet_simd::Isa;

fn on(path: Isa, head: &grnet_score::head::Head, x: &[f32], y: &[f32]) -> f64 {
    let scorer = Scorer::on(path, head.clone()).expect("a path of this processor");
    let (x, y) = (scorer.prepare_values(x.to_vec()), scorer.prepare_values(y.to_vec()));
    scorer.logit(&x, &y, &mut Workspace::default())
}

fn fast(head: &grnet_score::head::Head, x: &[f32], y: &[f32]) -> f64 {
    on(Isa::chosen().expect("a path"), head, x, y)
}

#[test]
fn every_path_agrees_with_the_oracle() {
    for path in Isa::available() {
        let mut largest = 0.0f64;
        for (n, head) in heads().iter().enumerate() {
            for pair in 0..4 {
                let (x, y) = (image(100 + pair, head), image(200 + pair, head));
                let (slow, quick) = (definition::logit(head, &x, &y), on(path, head, &x, &y));
                largest = largest.max((slow - quick).abs());
                assert!((slow - quick).abs() < 1e-4, "{path}, head {n}, pair {pair}: oracle {slow}, fast {quick}");
            }
        }
        println!("{path}: largest difference from the oracle {largest:.1e}");
    }
}

#[test]
fn a_scratch_that_was_used_gives_the_same_bits() {
    let mut workspace = Workspace::default();
    for head in heads() {
        let scorer = Scorer::new(head.clone()).expect("a path");
        let (x, y) = (scorer.prepare_values(image(1, &head)), scorer.prepare_values(image(2, &head)));
        let fresh = scorer.logit(&x, &y, &mut Workspace::default());
        assert_eq!(scorer.logit(&x, &y, &mut workspace).to_bits(), fresh.to_bits());
    }
}

#[test]
fn a_score_is_symmetric_bit_by_bit() {
    for head in heads() {
        let (x, y) = (image(1, &head), image(2, &head));
        for path in Isa::available() {
            assert_eq!(on(path, &head, &x, &y).to_bits(), on(path, &head, &y, &x).to_bits(), "{path}");
        }
        assert!((definition::logit(&head, &x, &y) - definition::logit(&head, &y, &x)).abs() < 1e-10);
    }
}

#[test]
fn permuting_the_windows_of_a_scale_changes_nothing() {
    for head in heads() {
        let c = head.channels;
        let (x, y) = (image(1, &head), image(2, &head));
        let mut turned = x.clone();
        for scale in 0..head.grids.len() {
            let range = pyramid::scale(&head.grids, scale);
            turned[range.start * c..range.end * c].rotate_left(c);
        }
        assert!((fast(&head, &x, &y) - fast(&head, &turned, &y)).abs() < 1e-4);
        assert!((definition::logit(&head, &x, &y) - definition::logit(&head, &turned, &y)).abs() < 1e-9);
        // The control: a region of another scale is another node, and another image another score.
        if head.grids.len() > 2 && head.graph.layers > 0 && head.graph.dim > 1 {
            let mut swapped = x.clone();
            for channel in 0..c {
                swapped.swap(c + channel, 5 * c + channel);
            }
            assert!((definition::logit(&head, &x, &y) - definition::logit(&head, &swapped, &y)).abs() > 1e-9);
            assert!((definition::logit(&head, &x, &y) - definition::logit(&head, &image(3, &head), &y)).abs() > 1e-9);
        }
    }
}

#[test]
fn degenerate_images_have_finite_scores_that_agree() {
    for head in heads() {
        let x = image(1, &head);
        let zero = vec![0.0; x.len()];
        let mut hole = x.clone();
        hole[..head.channels].fill(0.0);
        for (a, b) in [(&x, &x), (&zero, &zero), (&x, &zero), (&hole, &x), (&hole, &hole)] {
            let (slow, quick) = (definition::logit(&head, a, b), fast(&head, a, b));
            assert!(slow.is_finite() && quick.is_finite());
            assert!((slow - quick).abs() < 1e-4, "{slow} {quick}");
        }
    }
}

#[test]
fn explanations_are_the_last_layer_s_attention() {
    for head in heads() {
        let scorer = Scorer::new(head.clone()).expect("a path");
        let (x, y) = (image(1, &head), image(2, &head));
        let edges = scorer.explain(
            &scorer.prepare_values(x.clone()),
            &scorer.prepare_values(y.clone()),
            &mut Workspace::default(),
        );
        let want = definition::attention(&head, &x, &y);
        assert_eq!(edges.len(), want.len());
        assert!((edges.iter().map(|e| e.weight).sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(edges.windows(2).all(|w| w[0].weight >= w[1].weight));
        let mut node = 0;
        for (scale, grid) in head.grids.iter().enumerate() {
            let regions = usize::from(*grid).pow(2);
            for left in 0..regions {
                for right in 0..regions {
                    let edge = edges.iter().find(|e| (e.scale, e.left, e.right) == (scale, left, right));
                    assert!((edge.expect("every node has an edge").weight - want[node]).abs() < 1e-4);
                    node += 1;
                }
            }
        }
    }
}

#[test]
fn extreme_attention_stays_finite() {
    for mut head in heads() {
        for layer in &mut head.layers {
            layer.out.iter_mut().for_each(|v| *v *= 1000.0);
        }
        let (x, y) = (image(1, &head), image(2, &head));
        assert!(fast(&head, &x, &y).is_finite() && definition::logit(&head, &x, &y).is_finite());
    }
}

#[test]
fn a_bias_beside_t_in_never_matters_and_one_beside_t_out_does() {
    let head = head(3, &[1, 2, 3], 16, Graph { dim: 8, ..Graph::default() });
    let (x, y) = (image(1, &head), image(2, &head));
    let before = definition::logit(&head, &x, &y);
    let mut into = head.clone();
    into.layers[0].into_bias.iter_mut().for_each(|b| *b += 3.0);
    assert!((definition::logit(&into, &x, &y) - before).abs() < 1e-9);
    let mut out = head;
    out.layers[0].out_bias.iter_mut().for_each(|b| *b += 3.0);
    assert!((definition::logit(&out, &x, &y) - before).abs() > 1e-6);
}
