//! Whoever may create objects in a schema that stands in a caller's search_path runs nothing with the caller's rights.

use grnet_tests::images::bmp;
use grnet_tests::server::Server;
use grnet_tests::sqltext::{names, unqualified};
use postgres::Client;

/// Functions of the extension in SQL and PL/pgSQL: name, body, and whether a search_path of its own is set.
fn bodies(client: &mut Client) -> Vec<(String, String, bool)> {
    let sql = "SELECT p.oid::regprocedure::text, prosrc, coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false) \
               FROM pg_proc p JOIN pg_language l ON l.oid = prolang AND lanname IN ('sql', 'plpgsql') \
               JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND deptype = 'e' \
               JOIN pg_extension e ON e.oid = refobjid AND extname = 'grnet_pg'";
    client.query(sql, &[]).expect("a list").iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[test]
fn everything_that_our_bodies_name_has_its_schema() {
    let server = Server::start();
    let bodies = bodies(&mut server.session());
    assert!(bodies.len() >= 8, "{} bodies", bodies.len());
    for (name, body, fixed) in &bodies {
        if !fixed {
            assert_eq!(unqualified(body), Vec::<String>::new(), "{name}");
        }
    }
    assert!(bodies.iter().any(|(_, _, fixed)| !fixed), "the functions that take a condition have the caller's path");
}

#[test]
fn every_query_that_the_library_writes_names_schemas() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut looked_at = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            // A literal may go on in the next line.
            let code = code.join("\n").replace("\\\n", " ");
            for literal in code.split('"').skip(1).step_by(2) {
                let words: Vec<&str> = literal.split_whitespace().collect();
                let query = matches!(words[..], ["WITH" | "SELECT" | "INSERT" | "DELETE" | "UPDATE", ..])
                    && ["FROM", "INTO", "SET"].iter().any(|word| words.contains(word));
                if query {
                    looked_at += 1;
                    // Names of columns and of a CTE stand before parentheses as functions do.
                    let sql = literal.replace("AS (", "").replace("grnet.model (name", "grnet.model ,(name");
                    let sql = sql.replace("model_file (id", "model_file ,(id").replace("VALUES (", "");
                    assert_eq!(unqualified(&sql), Vec::<String>::new(), "{}: {literal}", path.display());
                }
            }
        }
    }
    assert!(looked_at >= 4, "{looked_at} queries were found");
}

/// Types whose combinations get operators and functions that fit better than the server's.
const TYPES: [&str; 15] = [
    "oid",
    "regclass",
    "regtype",
    "name",
    "text",
    "integer",
    "bigint",
    "double precision",
    "numeric",
    "boolean",
    "jsonb",
    "timestamp with time zone",
    "interval",
    "tid",
    "\"char\"",
];

/// Fills schema `trap`: each operator and function that the bodies name, for the argument types of the server's own and
/// for all pairs of [`TYPES`]; whatever is called says so by an ERROR. And types by the names of the server's.
fn set_traps(client: &mut Client, words: &[String]) {
    let types: Vec<String> = TYPES.iter().map(|t| (*t).to_owned()).collect();
    client.batch_execute("CREATE SCHEMA trap").expect("a schema");
    let sql = "DO $do$
        DECLARE words text[] := current_setting('trap.words')::text[]; types text[] := current_setting('trap.types')::text[];
            o record; l text; r text; f text; result text;
        BEGIN
            FOR o IN SELECT DISTINCT oprname, format_type(oprleft, NULL) AS l, format_type(oprright, NULL) AS r, format_type(oprresult, NULL) AS result
                     FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname = ANY (words) AND oprleft <> 0
                       AND NOT EXISTS (SELECT FROM pg_type WHERE oid IN (oprleft, oprright) AND typtype = 'p')
                     UNION SELECT w, a, b, CASE WHEN w = ANY ('{=,<>,<,>,<=,>=,~}') THEN 'boolean' ELSE a END
                     FROM unnest(words) w, unnest(types) a, unnest(types) b WHERE w ~ '^[-+*/<>=~!@#%^&|]+$' AND w NOT IN ('=>', '--')
            LOOP
                f := format('op_%s', md5(o.oprname || o.l || o.r));
                CONTINUE WHEN EXISTS (SELECT FROM pg_proc WHERE proname = f);
                EXECUTE format('CREATE FUNCTION trap.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', f, o.l, o.r, o.result,
                               format('BEGIN RAISE %L; END', 'HIJACKED operator ' || replace(o.oprname, '%', '%%')));
                EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.%I)', o.oprname, o.l, o.r, f);
            END LOOP;
            FOR o IN SELECT DISTINCT proname, oidvectortypes(proargtypes) AS arguments, format_type(prorettype, NULL) AS result, proretset
                     FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words) AND prokind IN ('f', 'a')
                       AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (array_append(proargtypes::oid[], prorettype)) AND typtype = 'p')
                     UNION SELECT proname, a, 'text', false FROM pg_proc, unnest(types) a
                     WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words)
                     UNION SELECT proname, a || ', ' || b, 'text', false FROM pg_proc, unnest(types) a, unnest(types) b
                     WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words)
            LOOP
                CONTINUE WHEN to_regprocedure(format('trap.%I(%s)', o.proname, o.arguments)) IS NOT NULL;
                EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L', o.proname, o.arguments,
                               CASE WHEN o.proretset THEN 'SETOF' ELSE '' END, o.result,
                               format('BEGIN RAISE %L; END', 'HIJACKED function ' || o.proname));
            END LOOP;
            CREATE FUNCTION trap.never(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'HIJACKED type'; END $$;
            FOREACH l IN ARRAY '{text,name,regclass,oid,jsonb,timestamptz,regtype,grnet_features}'::text[] LOOP
                EXECUTE format('CREATE DOMAIN trap.%I AS integer CHECK (trap.never(VALUE))', l);
                EXECUTE format('CREATE DOMAIN pg_temp.%I AS integer CHECK (trap.never(VALUE))', l);
            END LOOP;
        END $do$";
    client.query_one("SELECT set_config('trap.words', $1::text[]::text, false)", &[&words]).expect("words");
    client.query_one("SELECT set_config('trap.types', $1::text[]::text, false)", &[&types]).expect("types");
    client.batch_execute(sql).expect("traps");
}

/// A call of each function of the extension, by its signature. Empty: the server alone can call it.
fn calls() -> Vec<(&'static str, &'static str)> {
    const F: &str = "(SELECT features FROM public.item WHERE sku OPERATOR(pg_catalog.=) 1)";
    let with_features = |sql: &str| -> &'static str { Box::leak(sql.replace("$F", F).into_boxed_str()) };
    vec![
        ("grnet_features_in(cstring)", with_features("SELECT public.grnet_features_in(public.grnet_features_out($F))")),
        ("grnet_features_out(grnet_features)", with_features("SELECT public.grnet_features_out($F)")),
        ("grnet_features_recv(internal)", ""),
        ("grnet_features_send(grnet_features)", with_features("SELECT public.grnet_features_send($F)")),
        ("grnet_features(bytea)", with_features("SELECT public.grnet_features(public.grnet_features_send($F))")),
        ("grnet_features_eq(grnet_features,grnet_features)", with_features("SELECT $F OPERATOR(public.=) $F")),
        ("grnet_features_ne(grnet_features,grnet_features)", with_features("SELECT $F OPERATOR(public.<>) $F")),
        ("grnet_features_hash(grnet_features)", "SELECT DISTINCT features FROM public.item"),
        (
            "grnet_features_hash_extended(grnet_features,bigint)",
            with_features("SELECT public.grnet_features_hash_extended($F, 1)"),
        ),
        (
            "grnet_embed(bytea,box,text)",
            "SELECT public.grnet_embed(image, box '(9,9),(0,0)', 'tiny') FROM public.image",
        ),
        ("grnet_embed(bytea,box)", "SELECT public.grnet_embed(image, box '(9,9),(0,0)') FROM public.image"),
        ("grnet_embed(bytea,text)", "SELECT public.grnet_embed(image, 'tiny'::pg_catalog.text) FROM public.image"),
        ("grnet_embed(bytea)", "SELECT public.grnet_embed(image) FROM public.image"),
        (
            "grnet_embed_images(bytea[],text)",
            "SELECT public.grnet_embed_images(ARRAY(SELECT image FROM public.image), 'tiny')",
        ),
        ("grnet_embed_images(bytea[])", "SELECT public.grnet_embed_images(ARRAY(SELECT image FROM public.image))"),
        ("grnet_make_features(real[],text)", "SELECT public.grnet_make_features(numbers, 'tiny') FROM public.image"),
        ("grnet_quantize(grnet_features)", with_features("SELECT public.grnet_quantize($F)")),
        ("grnet_score_support(internal)", ""),
        (
            "grnet_score(grnet_features,grnet_features)",
            with_features("SELECT public.grnet_score(features, $F) FROM public.item"),
        ),
        (
            "grnet_distance(grnet_features,grnet_features)",
            with_features("SELECT sku FROM public.item ORDER BY features OPERATOR(public.<->) $F LIMIT 3"),
        ),
        (
            "grnet_global_similarity(grnet_features,grnet_features)",
            with_features("SELECT public.grnet_global_similarity($F, $F)"),
        ),
        ("grnet_explain(grnet_features,grnet_features)", with_features("SELECT public.grnet_explain($F, $F)")),
        ("grnet_match_map(bytea,bytea,text)", "SELECT public.grnet_match_map(image, image, 'tiny') FROM public.image"),
        ("grnet_match_map(bytea,bytea)", "SELECT public.grnet_match_map(image, image) FROM public.image"),
        ("grnet_info(grnet_features)", with_features("SELECT public.grnet_info($F)")),
        ("grnet_global(grnet_features)", with_features("SELECT public.grnet_global($F)")),
        (
            "grnet_region(grnet_features,integer,integer,integer)",
            with_features("SELECT public.grnet_region($F, 0, 0, 0)"),
        ),
        ("grnet_regions(grnet_features)", with_features("SELECT public.grnet_regions($F)")),
        ("grnet.check_model_file()", ""),
        ("grnet.forget_models()", ""),
        ("grnet_install_model(text)", "SELECT public.grnet_install_model('base')"),
        ("grnet_export_model(text)", "SELECT public.grnet_export_model('tiny')"),
        ("grnet_drop_model(text,boolean)", "SELECT public.grnet_drop_model('base')"),
        ("grnet_register_model(text,bytea)", "SELECT public.grnet_register_model('another', file) FROM public.other"),
        ("grnet_train(text,text,jsonb)", ""),
        (
            "grnet_evaluate(text,text,jsonb)",
            "SELECT public.grnet_evaluate('SELECT sku AS item, image, domain FROM public.pair')",
        ),
        ("grnet_stat_progress_train()", "SELECT * FROM grnet.stat_progress_train"),
        ("grnet.features_column(regclass,name)", "SELECT grnet.features_column('public.item', NULL)"),
        ("grnet.global_indexes(regclass,name)", "SELECT grnet.global_indexes('public.item', 'features')"),
        ("grnet.global_index(regclass,name)", "SELECT grnet.global_index('public.item', 'features')"),
        (
            "grnet_create_index(regclass,name,integer,integer)",
            "SELECT public.grnet_create_index('public.fresh'), public.grnet_create_index('public.item')",
        ),
        (
            "grnet.condition(regclass,text,grnet_features,bigint)",
            "SELECT grnet.condition('public.item', 'true', NULL, 1)",
        ),
        (
            "grnet_search(anyelement,grnet_features,integer,integer,text,name)",
            with_features("SELECT public.grnet_search(NULL::public.item, $F, 3, 5, 'true')"),
        ),
        (
            "grnet.recall(regclass,grnet_features[],text[],integer,integer[],text,name)",
            with_features("SELECT grnet.recall('public.item', ARRAY[$F], NULL, 3, '{5}', NULL, 'features')"),
        ),
        (
            "grnet_recall(regclass,grnet_features[],integer,integer[],text,name)",
            with_features("SELECT public.grnet_recall('public.item', ARRAY[$F], 3, '{5}', 'true')"),
        ),
        (
            "grnet_recall(regclass,integer,integer,integer[],text,name)",
            "SELECT public.grnet_recall('public.item', 3, 2, '{5,10}', 'true')",
        ),
        ("grnet.tell_of_missing(regclass,name,bigint)", "SELECT grnet.tell_of_missing('public.image', 'features', 1)"),
        ("grnet.not_embedded(grnet_features,bytea)", "SELECT grnet.not_embedded(NULL, NULL::pg_catalog.bytea)"),
        ("grnet.not_embedded(bytea,grnet_features)", "SELECT grnet.not_embedded(NULL::pg_catalog.bytea, NULL)"),
        ("grnet_features_trigger()", "UPDATE public.image SET features = NULL"),
        ("grnet.features_triggers(regclass)", "SELECT grnet.features_triggers('public.image')"),
        (
            "grnet.least_similarity(grnet_features,grnet_features)",
            with_features("SELECT grnet.least_similarity($F, $F)"),
        ),
        ("grnet_verify(regclass,name,integer,name,name)", "SELECT public.grnet_verify('public.image')"),
        ("grnet_stat_engine()", "SELECT * FROM grnet.stat_engine"),
    ]
}

#[test]
fn look_alikes_are_not_taken_by_any_function() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE EXTENSION vector;
             CREATE TABLE item (sku int PRIMARY KEY, features grnet_features);
             INSERT INTO item SELECT i, (SELECT grnet_make_features(array_agg(random()::real), 'tiny') FROM generate_series(1, 40) WHERE i > 0)
                 FROM generate_series(1, 200) i;
             SELECT grnet_create_index('item');
             CREATE TABLE fresh AS TABLE item;
             CREATE TABLE image (image bytea, numbers real[], features grnet_features);
             CREATE TRIGGER made BEFORE INSERT OR UPDATE ON image FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
             CREATE TABLE pair (sku int, image bytea, domain text);",
        )
        .expect("tables");
    client
        .execute("INSERT INTO image SELECT $1, array_agg(n::real) FROM generate_series(1, 40) n", &[&bmp(1)])
        .expect("an image");
    client
        .execute(
            "INSERT INTO pair SELECT n, $1, d FROM generate_series(1, 2) n, unnest('{shop,consumer}'::text[]) d",
            &[&bmp(1)],
        )
        .expect("pairs");
    // The same file with a weight's last bit changed is another model.
    client
        .batch_execute(
            "CREATE TABLE other AS SELECT set_byte(file, length(file) - 4, get_byte(file, length(file) - 4) # 1) AS file FROM grnet.model_file",
        )
        .expect("another model");
    let signatures: Vec<String> = client
        .query(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass \
             AND deptype = 'e' JOIN pg_extension e ON e.oid = refobjid AND extname = 'grnet_pg'",
            &[],
        )
        .expect("a list")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let words: Vec<String> = bodies(&mut client).iter().flat_map(|(_, body, _)| names(body)).collect();
    set_traps(&mut client, &words);
    let laid: i64 = client
        .query_one("SELECT count(*) FROM pg_proc WHERE pronamespace = 'trap'::regnamespace", &[])
        .expect("a count")
        .get(0);
    assert!(laid > 3_000, "{laid} traps");
    let calls = calls();
    for signature in &signatures {
        assert!(calls.iter().any(|(known, _)| known == signature), "{signature} is called by nothing here");
    }
    // The traps before the server's own; behind them, where they fit better all the same; both by an operator that does.
    for path in ["trap, pg_catalog, public", "public, trap"] {
        client.batch_execute(&format!("SET search_path = {path}")).expect("a path");
        let hit = client.batch_execute("SELECT 'pg_class'::pg_catalog.regclass = 1").expect_err("a trap works");
        assert!(hit.to_string().contains("HIJACKED") || format!("{hit:?}").contains("HIJACKED"), "{path}: {hit:?}");
        for (signature, sql) in calls.iter().filter(|(_, sql)| !sql.is_empty()) {
            let mut transaction = client.transaction().expect("a transaction");
            let done = transaction.batch_execute(sql);
            assert!(done.is_ok(), "{path}: {signature}: {sql}: {done:?}");
            // Models stay for what comes after.
            if signature.contains("install_model") || signature.contains("drop_model") {
                transaction.commit().expect("a commit");
            } else {
                transaction.rollback().expect("a rollback");
            }
        }
    }
    println!("{laid} traps, {} calls on two paths", calls.iter().filter(|(_, sql)| !sql.is_empty()).count());
}
