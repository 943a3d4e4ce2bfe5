-- Scores: symmetric, ordered by the logit, refused across models.
SELECT id, round(grnet_score(features, (SELECT features FROM f WHERE id = 1))::numeric, 4) AS score,
       round((features <-> (SELECT features FROM f WHERE id = 1))::numeric, 4) AS distance,
       round(grnet_global_similarity(features, (SELECT features FROM f WHERE id = 1))::numeric, 4) AS cosine
FROM f ORDER BY id;
SELECT bool_and(grnet_score(a.features, b.features) = grnet_score(b.features, a.features)) AS symmetric,
       bool_and((a.features <-> b.features) = (b.features <-> a.features)) AS symmetric_distance,
       max(abs((a.features <-> b.features) + ln(grnet_score(a.features, b.features)))) < 1e-9 AS minus_logarithm
FROM f a, f b;
SELECT array_agg(id ORDER BY features <-> (SELECT features FROM f WHERE id = 1), id)
     = array_agg(id ORDER BY grnet_score(features, (SELECT features FROM f WHERE id = 1)) DESC, id) AS same_order FROM f;
SELECT id FROM f ORDER BY features <-> (SELECT features FROM f WHERE id = 3), id LIMIT 3;
SELECT grnet_score(NULL, features), features <-> NULL FROM f WHERE id = 1;

-- An image against itself, and degenerate ones, have finite scores.
SELECT bool_and(grnet_score(features, features) BETWEEN 0 AND 1) FROM f;
SELECT grnet_score(z, z) BETWEEN 0 AND 1 AS zero_zero, grnet_score(z, features) BETWEEN 0 AND 1 AS zero_other
FROM f, (SELECT grnet_make_features(array_fill(0::real, ARRAY[40]), 'tiny') AS z) zeros WHERE id = 1;

-- Where the probability prints 1, the distance still orders: the tiny model with 60 for its last bias.
CREATE FUNCTION certain(file bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT overlay(file placing '\x00007042' from 9 + n
        + (convert_from(substr(file, 9, n), 'UTF8')::jsonb -> 'graph.readout.bias' -> 'data_offsets' ->> 0)::int)
    FROM (SELECT get_byte(file, 0) + 256 * get_byte(file, 1) + 65536 * get_byte(file, 2) AS n) header
$$;
SELECT grnet_register_model('certain', certain(grnet_export_model('tiny'))) IS NOT NULL AS registered;
CREATE FUNCTION of_model(features grnet_features, id text) RETURNS grnet_features LANGUAGE sql AS
    $$ SELECT ('grnet1:' || translate(encode(overlay(grnet_features_send(features) placing decode(id, 'hex') from 13), 'base64'), E'\n', ''))::grnet_features $$;
CREATE TABLE sure AS SELECT f.id, of_model(features, m.id) AS features FROM f, grnet.model m WHERE name = 'certain';
SELECT bool_and(grnet_score(a.features, b.features) = 1) AS all_certain,
       count(DISTINCT a.features <-> b.features) > 10 AS still_ordered
FROM sure a, sure b;
SELECT array_agg(s.id ORDER BY s.features <-> (SELECT features FROM sure WHERE id = 1))
     = array_agg(f.id ORDER BY f.features <-> (SELECT features FROM f WHERE id = 1)) AS same_order FROM sure s JOIN f USING (id);
SELECT grnet_drop_model('certain', force => true);

-- Why.
SELECT count(*) AS edges, round(sum(weight)::numeric, 5) AS weights, bool_and(similarity BETWEEN -1.001 AND 1.001) AS cosines
FROM grnet_explain((SELECT features FROM f WHERE id = 1), (SELECT features FROM f WHERE id = 2));
SELECT scale, query_row, query_col, item_row, item_col, round(similarity::numeric, 3) AS similarity, round(weight::numeric, 4) AS weight
FROM grnet_explain((SELECT features FROM f WHERE id = 1), (SELECT features FROM f WHERE id = 2)) LIMIT 3;

-- Two models are never compared; a model that is not here is named.
SELECT grnet_score(features, of_model(features, '0102030405060708')) FROM f WHERE id = 1;
SELECT features <-> of_model(features, '0102030405060708') FROM f WHERE id = 1;
SELECT grnet_global_similarity(features, of_model(features, '0102030405060708')) FROM f WHERE id = 1;
SELECT grnet_score(of_model(features, '0102030405060708'), of_model(features, '0102030405060708')) FROM f WHERE id = 1;
SELECT * FROM grnet_explain((SELECT features FROM f WHERE id = 1), (SELECT of_model(features, '0102030405060708') FROM f WHERE id = 1));

-- A place in a query that sees many partners gives what fresh calls give.
SELECT bool_and(by_join = by_call) FROM (
    SELECT grnet_score(a.features, b.features) AS by_join,
           (SELECT grnet_score(x.features, y.features) FROM f x, f y WHERE x.id = a.id AND y.id = b.id) AS by_call
    FROM f a, f b) pairs;
-- In parallel workers too.
CREATE TABLE many AS SELECT g AS id, features FROM f, generate_series(1, 300) g;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(*) AS rows, count(DISTINCT d) AS distances FROM (SELECT features <-> (SELECT features FROM f WHERE id = 2) AS d FROM many) x;
RESET ALL;
DROP TABLE many;

-- What is IMMUTABLE is the same bits under every setting: in an index, in a prepared plan, in what is computed now.
CREATE TABLE scored AS SELECT g AS id, grnet_make_features(array_agg((((g * 7 + i * i) % 23) - 11)::real), 'tiny') AS features
FROM generate_series(1, 200) g, generate_series(1, 40) i GROUP BY g;
SELECT features AS q FROM scored WHERE id = 1 \gset
DO $$ BEGIN EXECUTE format('CREATE INDEX by_score ON scored (grnet_score(features, %L))', (SELECT features FROM scored WHERE id = 1)); END $$;
CREATE TABLE in_f32 AS SELECT id, grnet_score(features, :'q') AS score, features <-> :'q' AS distance, grnet_distance(:'q', features) AS same_distance,
    (SELECT sum(weight) FROM grnet_explain(features, :'q')) AS weights, grnet_global_similarity(features, :'q') AS cosine FROM scored;
SELECT grnet_score(:'q', :'q') AS once \gset
PREPARE constant AS SELECT grnet_score(:'q', :'q') = :once AS same;
EXECUTE constant;
SET grnet.score_precision = 'i16';
SELECT count(*) AS rows, count(*) FILTER (WHERE i.score <> grnet_score(features, :'q') OR i.distance <> features <-> :'q' OR i.same_distance <> grnet_distance(:'q', features)
    OR i.weights <> (SELECT sum(weight) FROM grnet_explain(features, :'q')) OR i.cosine <> grnet_global_similarity(features, :'q')) AS others
FROM scored JOIN in_f32 i USING (id);
EXECUTE constant;
SET enable_seqscan = off;
SELECT count(*) AS by_index FROM in_f32 i WHERE (SELECT count(*) FROM scored s WHERE grnet_score(s.features, :'q') = i.score AND s.id = i.id) = 1;
RESET enable_seqscan; SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT count(*) AS by_scan FROM in_f32 i WHERE (SELECT count(*) FROM scored s WHERE grnet_score(s.features, :'q') = i.score AND s.id = i.id) = 1;
-- The ranking by the node is what the setting is for.
RESET enable_indexscan; RESET enable_bitmapscan;
SELECT count(*) AS in_other_bits FROM (SELECT id, features <-> :'q' AS distance FROM scored ORDER BY features <-> :'q' LIMIT 200) r JOIN in_f32 i USING (id) WHERE r.distance <> i.distance \gset
SELECT :in_other_bits > 0 AS node_in_i16;
SET grnet.enable_batch_scoring = off;
SELECT count(*) AS in_other_bits FROM (SELECT id, features <-> :'q' AS distance FROM scored ORDER BY features <-> :'q' LIMIT 200) r JOIN in_f32 i USING (id) WHERE r.distance <> i.distance;
RESET ALL;
DROP TABLE scored, in_f32;
