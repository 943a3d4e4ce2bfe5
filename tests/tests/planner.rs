//! The planner's hooks read nothing that was freed: random plans, on a server that overwrites freed memory.
//!
//! `GRNET_PLANS` says how many (3,000), `GRNET_RANK_SEED` which.

use grnet_tests::clobber::Clobber;
use grnet_tests::differential::{number, outcome, values, with_tables};
use grnet_tests::growing;
use grnet_tests::server::{Server, installation};
use grnet_tests::shapes::Shapes;

#[test]
fn random_plans_over_growing_tables_read_nothing_that_was_freed() {
    let (count, seed) = (number("GRNET_PLANS", 3_000), number("GRNET_RANK_SEED", 1));
    let installation = installation();
    let clobber = Clobber::compile(&installation);
    let libraries = format!("grnet_pg,{}", clobber.library().display());
    let server = Server::build(|builder| builder.setting("shared_preload_libraries", libraries));
    let mut client = with_tables(&server);
    client.batch_execute(growing::TABLES).expect("tables");
    client
        .batch_execute("CREATE EXTENSION vector; SELECT grnet_create_index('item'); SELECT grnet_create_index('leaf')")
        .expect("indexes");
    let on: String = client.query_one("SHOW clobber.is_on", &[]).expect("the library is there").get(0);
    assert_eq!(on, "on", "freed memory is overwritten");
    let values = values(&mut client);
    let mut shapes = Shapes::new(seed);
    let (mut scores, mut shortlists, mut gathered, mut refused) = (0, 0, 0, 0);
    for number in 0..count {
        if number % 8 == 0 {
            client.batch_execute(&shapes.planner_settings()).expect("settings");
        }
        client.batch_execute(&shapes.growth()).expect("a superuser may");
        // A session that plans for ever would keep all that was ever freed in it.
        if number % 2_000 == 1_999 {
            client = server.session();
        }
        let shape = if shapes.once_in(3) { shapes.next_shape() } else { shapes.next_join() };
        let run = if shape.has_parameters {
            let value = &values[shapes.below(values.len() as u64) as usize];
            let limit = shapes.below(1_000);
            let mode = ["auto", "force_generic_plan", "force_custom_plan"][shapes.below(3) as usize];
            vec![
                format!("SET plan_cache_mode = {mode}"),
                format!("PREPARE s (grnet_features, int) AS {}", shape.sql),
                format!("EXPLAIN EXECUTE s ('{value}', {limit})"),
                "DEALLOCATE s".to_owned(),
            ]
        } else {
            vec![format!("EXPLAIN {}", shape.sql)]
        };
        let plan = outcome(&mut client, &run, false).join("\n");
        assert!(!plan.starts_with("XX"), "plan {number} of seed {seed}: {plan}\n{}", run.join(";\n"));
        // An SQLSTATE begins with a digit or is XX000, a plan with the name of a node.
        refused += u64::from(plan.starts_with(|first: char| first.is_ascii_digit()));
        scores += u64::from(plan.contains("(GrnetScore)"));
        shortlists += u64::from(plan.contains("(GrnetShortlist)"));
        gathered += u64::from(plan.contains("Gather"));
    }
    println!(
        "{count} plans: {scores} with GrnetScore, {shortlists} with GrnetShortlist, {gathered} gather, {refused} errors"
    );
    assert!(count < 1_000 || (scores * 5 > count && shortlists * 80 > count && gathered * 10 > count));
    assert!(refused * 10 < count, "{refused} of {count} are errors");
}
