-- What is refused before anything is trained; tests/tests/training.rs trains.
SELECT pg_get_function_result('grnet_train'::regproc), pg_get_function_result('grnet_evaluate'::regproc);
SELECT grnet_train('tiny', 'SELECT 1');
SELECT grnet_train('No Name', 'SELECT 1');
SELECT grnet_train('mine', 'SELECT 1', '{"model": "nobody"}');
SELECT grnet_train('mine', 'SELECT 1', '7');
SELECT grnet_train('mine', NULL);
SELECT grnet_train('mine', 'SELECT 1 AS item');
SELECT grnet_train('mine', 'SELECT 1 AS item, ''x'' AS image, ''shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, image(8, 8, 1) AS image, ''Shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, NULL::bytea AS image, ''shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, image(8, 8, 1) AS image, ''shop'' AS domain WHERE false');
SELECT grnet_evaluate('SELECT 1 AS item, image(8, 8, 1) AS image, ''consumer'' AS domain, ''gallery'' AS set');
SELECT * FROM grnet_evaluate(NULL);
-- A job ends with its connection, which the engine notices a moment later.
DO $$ BEGIN FOR i IN 1..200 LOOP EXIT WHEN NOT EXISTS (SELECT FROM grnet.stat_progress_train); PERFORM pg_sleep(0.05); END LOOP; END $$;
SELECT count(*) FROM grnet.stat_progress_train;

-- Domains are what they are made of.
CREATE DOMAIN picture AS bytea;
CREATE DOMAIN area AS box;
SELECT queries, gallery FROM grnet_evaluate($$ SELECT 1 AS item, image(8, 8, n)::picture AS image, d AS domain, box '(7,7),(0,0)'::area AS region
    FROM (VALUES (1, 'shop'), (2, 'consumer')) v (n, d) $$) WHERE ranking = 'graph';
DROP DOMAIN picture, area;

-- Options that JSON can say and Rust cannot.
\set VERBOSITY sqlstate
SELECT grnet_train('mine', 'SELECT 1', '{"steps": 1e400}');
SELECT grnet_train('mine', 'SELECT 1', (repeat('{"a":', 500) || '1' || repeat('}', 500))::jsonb);
\set VERBOSITY default

-- The server's own errors below come up whole: with their place in the query, and where they were.
SELECT grnet_evaluate('SELECT nothing AS item FROM pg_class');
CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'no such item' USING ERRCODE = 'P0002', TABLE = 'item'; END $$;
SELECT grnet_evaluate('SELECT fails() AS item, ''''::bytea AS image, ''shop'' AS domain');
DROP FUNCTION fails;
