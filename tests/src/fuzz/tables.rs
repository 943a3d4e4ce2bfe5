//! The tables of the statements, beside those of [`crate::shapes`] and [`crate::growing`].

/// Made once: all with `id`, `category`, `price` and `features`, most with more. `sure` is what no case touches.
pub const TABLES: &str = r#"
    CREATE TABLE sure AS SELECT id, category, features FROM item WHERE features IS NOT NULL;
    CREATE DOMAIN worn AS grnet_features CHECK (VALUE IS NULL OR grnet_info(VALUE) ->> 'model' <> 'none');
    CREATE DOMAIN picture AS bytea CHECK (length(VALUE) < 10000000);
    CREATE TABLE clothed (id int PRIMARY KEY, category int, price int, features worn, image picture);
    INSERT INTO clothed SELECT id, category, price, features FROM item;
    -- Kept by the trigger.
    CREATE TABLE held (id int PRIMARY KEY, category int DEFAULT 1, price int DEFAULT 2, image bytea, region box, features grnet_features);
    CREATE TRIGGER keep BEFORE INSERT OR UPDATE ON held FOR EACH ROW
        EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'region');
    INSERT INTO held (id, image) SELECT n, b FROM pool.image WHERE n < 6;
    CREATE TABLE halves (id int, category int, price int, image bytea, features grnet_features) PARTITION BY RANGE (id);
    CREATE TABLE halves_low PARTITION OF halves FOR VALUES FROM (MINVALUE) TO (4);
    CREATE TABLE halves_high PARTITION OF halves DEFAULT;
    CREATE TRIGGER keep BEFORE INSERT OR UPDATE ON halves FOR EACH ROW
        EXECUTE FUNCTION grnet_features_trigger('image', 'features');
    INSERT INTO halves (id, image) SELECT n, b FROM pool.image WHERE n < 6;
    -- All kinds of numbers, two models and more.
    CREATE TABLE kinds AS SELECT n AS id, n % 3 AS category, n % 7 AS price, f AS features FROM pool.feature;
    CREATE TABLE by_hash (LIKE item) PARTITION BY HASH (features);
    CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE by_hash_2 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    INSERT INTO by_hash SELECT * FROM item;
    CREATE INDEX by_value ON by_hash USING hash (features);
    CREATE TABLE nothing (LIKE item);
    CREATE TABLE empty_handed AS SELECT id, category, price, NULL::grnet_features AS features FROM item;
    CREATE TABLE made (id int, category int, price int, source grnet_features,
        features grnet_features GENERATED ALWAYS AS (grnet_quantize(source)) STORED,
        length int GENERATED ALWAYS AS (length(grnet_features_send(source))) STORED);
    INSERT INTO made SELECT id, category, price, features FROM item;
    CREATE INDEX ON made ((grnet_score(features, source)));
    CREATE INDEX ON made (id) WHERE (features <-> source) < 0.5;
    CREATE MATERIALIZED VIEW seen AS SELECT * FROM item WHERE id < 40;
    CREATE UNIQUE INDEX ON seen (id);
    CREATE TABLE private (LIKE item);
    INSERT INTO private SELECT * FROM item;
    ALTER TABLE private ENABLE ROW LEVEL SECURITY;
    CREATE POLICY even ON private USING (id % 2 = 0 AND (features IS NULL OR (features <-> features) >= 0));
    CREATE SCHEMA "Odd %s Sch""ema";
    CREATE TABLE "Odd %s Sch""ema"."It'em %I" (id int, category int, price int, "Fea't %s" grnet_features);
    INSERT INTO "Odd %s Sch""ema"."It'em %I" SELECT * FROM item;
    CREATE TABLE two (id int, category int, price int, features grnet_features, f grnet_features);
    INSERT INTO two SELECT id, category, price, features, features FROM item;
    CREATE TABLE near AS SELECT * FROM item;
    ALTER TABLE near ADD PRIMARY KEY (id);
    CREATE TYPE pair AS (name text, features grnet_features, more grnet_features[]);
    CREATE TABLE pairs (id int, it pair, them pair[]);
    INSERT INTO pairs SELECT id, ROW('x'::text, features, ARRAY[features])::pair, ARRAY[ROW('y'::text, features, NULL::grnet_features[])::pair] FROM item WHERE id < 9;
    CREATE FUNCTION likes(wanted grnet_features, n int) RETURNS SETOF item LANGUAGE sql STABLE AS
        'SELECT * FROM item ORDER BY features <-> wanted LIMIT n';
    CREATE FUNCTION better(a grnet_features, b grnet_features) RETURNS double precision LANGUAGE sql IMMUTABLE AS
        'SELECT greatest(grnet_score(a, b), grnet_score(b, a))';
    CREATE FUNCTION guarded(a grnet_features, b grnet_features) RETURNS double precision LANGUAGE plpgsql AS
        'BEGIN RETURN a <-> b; EXCEPTION WHEN OTHERS THEN RETURN -1; END';
    CREATE AGGREGATE best(grnet_features, grnet_features) (SFUNC = keep_best, STYPE = double precision);
    CREATE ROLE reader; CREATE ROLE stranger; CREATE ROLE owner;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
    GRANT pg_write_all_data, pg_read_all_data TO owner;
    GRANT CREATE ON SCHEMA public TO owner;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO owner;
    ANALYZE;
"#;

/// Must be there before.
pub const BEFORE: &str = "
    CREATE FUNCTION keep_best(double precision, grnet_features, grnet_features) RETURNS double precision
        LANGUAGE sql IMMUTABLE AS 'SELECT greatest($1, grnet_score($2, $3))';
";

/// Indexes for shortlists.
pub const INDEXES: &str = "
    CREATE EXTENSION vector;
    SELECT grnet_create_index('item'); SELECT grnet_create_index('near'); SELECT grnet_create_index('seen');
    SELECT grnet_create_index('part_low'); SELECT grnet_create_index('private'); SELECT grnet_create_index('empty_handed');
";

/// For each session.
pub const OF_A_SESSION: &str = "
    CREATE TEMP TABLE brief (id int, category int, price int, features grnet_features) ON COMMIT PRESERVE ROWS;
    INSERT INTO brief SELECT * FROM public.item;
    CREATE TEMP VIEW glance AS SELECT * FROM brief WHERE features IS NOT NULL;
    GRANT ALL ON brief, glance TO PUBLIC;
";

/// Tables and views that have `id`, `category`, `price` and `features`.
pub const NAMES: [&str; 24] = [
    "item",
    "item",
    "near",
    "near",
    "part",
    "leaf",
    "old",
    "mixed",
    "shown",
    "brief",
    "glance",
    "clothed",
    "held",
    "halves",
    "kinds",
    "by_hash",
    "nothing",
    "empty_handed",
    "made",
    "seen",
    "private",
    "two",
    "part_low",
    "leaf_a",
];

/// Those that are written to.
pub const WRITTEN: [&str; 9] = ["near", "part", "leaf", "held", "halves", "clothed", "by_hash", "brief", "private"];
