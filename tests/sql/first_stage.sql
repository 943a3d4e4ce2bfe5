-- The first stage where things are not as they should be: names, conditions, models and indexes.
\set SHOW_CONTEXT never
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE FUNCTION chance(model text, channels int) RETURNS grnet_features LANGUAGE sql VOLATILE AS
    $$ SELECT grnet_make_features(array_agg(random()::real), model) FROM generate_series(1, 5 * channels) $$;

-- Names with what format() and RAISE take for theirs.
CREATE SCHEMA "a%b";
CREATE TABLE "a%b"."t%s" (id int, "f%I" grnet_features);
INSERT INTO "a%b"."t%s" SELECT i, chance('tiny', 8) FROM generate_series(1, 200) i;
SELECT "f%I" AS q FROM "a%b"."t%s" WHERE id = 7 \gset
SELECT grnet_create_index('"a%b"."t%s"');
SELECT grnet_create_index('"a%b"."t%s"');
SELECT count(*) FROM grnet_search(NULL::"a%b"."t%s", :'q', 3, 10);
SELECT shortlist, recall FROM grnet_recall('"a%b"."t%s"', 2, 1, '{50}');
SELECT grnet_create_index('"a%b"."t%s"', 'x%y');

-- What must not be NULL.
SELECT grnet_create_index('"a%b"."t%s"', m => NULL);
SELECT grnet_create_index('"a%b"."t%s"', ef_construction => NULL);

-- A condition is one expression, whatever it ends in.
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'id = 9 -- nine');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'id = 9 /* nine */');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, $$ t.id = ANY ('{9}') AND '(' <> ')' $$);
SELECT shortlist, recall FROM grnet_recall('"a%b"."t%s"', 2, 1, '{50}', 'id < 100 -- some');
\set VERBOSITY terse
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'false) OR (true');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'false] OR ARRAY[true');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'false)) UNION SELECT 1 --');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'true /*');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'true '' ');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'true ORDER BY id');
SELECT id FROM grnet_search(NULL::"a%b"."t%s", :'q', 1, 10, 'true; DROP TABLE "a%b"."t%s"');
SELECT count(*) FROM grnet_recall('"a%b"."t%s"', 2, 1, '{50}', 'false) OR (true');
SELECT count(*) FROM grnet_recall('"a%b"."t%s"', ARRAY[:'q']::grnet_features[], 1, '{50}', 'false) OR (true');
\set VERBOSITY default

-- An index that is invalid.
UPDATE pg_index SET indisvalid = false WHERE indrelid = '"a%b"."t%s"'::regclass;
SELECT grnet_create_index('"a%b"."t%s"');
SELECT shortlist, recall FROM grnet_recall('"a%b"."t%s"', 2, 1, '{50}');
REINDEX INDEX "a%b"."t%s_grnet_global_idx";
SELECT grnet_create_index('"a%b"."t%s"');
DROP SCHEMA "a%b" CASCADE;

-- Domains, and domains over domains.
CREATE DOMAIN feats AS grnet_features;
CREATE DOMAIN more_feats AS feats CHECK (VALUE IS NOT NULL);
CREATE TABLE shelf (sku int, f more_feats);
INSERT INTO shelf SELECT i, chance('tiny', 8) FROM generate_series(1, 200) i;
SELECT grnet_create_index('shelf');
SELECT grnet_create_index('shelf');
SELECT count(*) FROM grnet_search(NULL::shelf, :'q', 3, 10);
SELECT shortlist, recall FROM grnet_recall('shelf', 2, 1, '{50}');
SELECT count(*) FROM grnet_recall('shelf', ARRAY(SELECT f FROM shelf LIMIT 2), 1, '{50}');
ALTER TABLE shelf ADD other feats;
SELECT grnet_create_index('shelf');
DROP TABLE shelf;

-- Only an index of just that expression is taken for one: others may have anybody's code in them.
CREATE TABLE rack (sku int, f grnet_features, g grnet_features);
INSERT INTO rack SELECT i, chance('tiny', 8) FROM generate_series(1, 20) i;
CREATE FUNCTION anything(r real[]) RETURNS real[] LANGUAGE sql IMMUTABLE AS 'SELECT r';
CREATE FUNCTION grnet_global(text) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$ SELECT '{1,0,0,0,0,0,0,0}'::real[] $$;
CREATE INDEX around ON rack USING hnsw ((anything(grnet_global(f))::vector(8)) vector_ip_ops);
CREATE INDEX within ON rack USING hnsw ((grnet_global(coalesce(f, g))::vector(8)) vector_ip_ops);
CREATE INDEX like_it ON rack USING hnsw ((grnet_global('(f)'::text)::halfvec(8)) halfvec_ip_ops);
CREATE INDEX twice ON rack USING hnsw ((grnet_global(f)::vector(8)::halfvec(8)) halfvec_ip_ops);
CREATE INDEX part ON rack USING hnsw ((grnet_global(f)::halfvec(8)) halfvec_ip_ops) WHERE sku > 5;
CREATE INDEX other_column ON rack USING hnsw ((grnet_global(g)::halfvec(8)) halfvec_ip_ops);
SELECT grnet.global_index('rack', 'f');
SELECT grnet.global_index('rack', 'g');
CREATE INDEX plain ON rack USING hnsw ((grnet_global(f)::vector(8)) vector_cosine_ops);
SELECT grnet.global_index('rack', 'f');
-- Whatever settings change how names and strings are written.
SET quote_all_identifiers = on; SET escape_string_warning = off; SET standard_conforming_strings = off; SET search_path = grnet;
SELECT grnet.global_index('public.rack', 'f'), grnet.global_index('public.rack', 'g');
RESET ALL;
DROP INDEX plain;
SELECT grnet_create_index('rack', 'f');
DROP TABLE rack;
DROP FUNCTION anything, grnet_global(text);

-- Values of several models: which, and how many.
SELECT grnet_register_model('twin', set_byte(file, length(file) - 4, get_byte(file, length(file) - 4) # 1)) IS NOT NULL AS registered
FROM (SELECT grnet_export_model('tiny') AS file) m;
CREATE TABLE mixed AS SELECT i AS sku, chance('tiny', 8) AS f FROM generate_series(1, 20) i;
INSERT INTO mixed SELECT i, chance('twin', 8) FROM generate_series(21, 25) i;
\set VERBOSITY terse
SELECT grnet_create_index('mixed');
\set VERBOSITY default
DROP INDEX mixed_grnet_global_idx;
SELECT grnet_install_model('base') IS NOT NULL AS installed;
INSERT INTO mixed SELECT 26, grnet_make_features(array_agg(random()::real), 'base') FROM generate_series(1, 14 * 256);
SELECT grnet_create_index('mixed');
SELECT grnet_drop_model('base', force => true), grnet_drop_model('twin', force => true);
SELECT grnet_create_index('mixed');
DROP TABLE mixed;
DROP DOMAIN feats CASCADE;
DROP FUNCTION chance;
DROP EXTENSION vector;

-- A statement whose planning fails is as far as EXPLAIN gets.
EXPLAIN SELECT 1 / 0;
