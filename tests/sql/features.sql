-- The type: text and binary forms, equality, and what is refused.
CREATE TABLE f (id int PRIMARY KEY, features grnet_features);
INSERT INTO f SELECT g, grnet_make_features(
    (SELECT array_agg((sin(i * 7.3 + g * i) / 2)::real ORDER BY i) FROM generate_series(1, 40) i), 'tiny')
FROM generate_series(1, 6) g;
SELECT id, left(features::text, 32), pg_column_size(features) FROM f ORDER BY id LIMIT 2;

-- Text and binary forms bring a value back.
SELECT bool_and(features::text::grnet_features = features) FROM f;
CREATE TABLE copied (LIKE f);
COPY f TO PROGRAM 'cat > grnet_features.bin' (FORMAT binary);
COPY copied FROM PROGRAM 'cat grnet_features.bin' (FORMAT binary);
SELECT count(*) FROM f JOIN copied USING (id) WHERE f.features = copied.features;
SELECT count(*) FROM f JOIN copied ON f.features = copied.features;
SELECT count(*) FROM f JOIN copied ON f.features <> copied.features;

-- Equality, not order.
SELECT count(*) FROM (SELECT DISTINCT features FROM (TABLE f UNION ALL TABLE copied) both_tables) x;
SELECT count(*) FROM (SELECT features FROM f UNION SELECT features FROM copied) both_tables;
CREATE TABLE parts (features grnet_features) PARTITION BY HASH (features);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT features FROM f;
SELECT count(*) FROM parts JOIN f USING (features);
SELECT features FROM f ORDER BY features;

-- What is read out of a value.
SELECT grnet_info(features) - 'digest' - 'model' FROM f WHERE id = 1;
SELECT grnet_info(features) ->> 'model' = (SELECT m.id FROM grnet.model m WHERE name = 'tiny') AS its_model FROM f WHERE id = 1;
SELECT round(sum(v * v)::numeric, 5) AS norm, count(*) FROM f, unnest(grnet_global(features)) v WHERE id = 1;
SELECT features::real[] = grnet_global(features) AS cast_is_global FROM f WHERE id = 1;
SELECT scale, "row", col, round(value[1]::numeric, 3) AS first FROM f, grnet_regions(features) WHERE id = 1;
SELECT grnet_region(features, 1, 1, 0) = (SELECT value FROM grnet_regions(features) WHERE (scale, "row", col) = (1, 1, 0)) AS same FROM f WHERE id = 1;
SELECT grnet_region(features, 1, 2, 0) FROM f WHERE id = 1;
SELECT grnet_region(features, -1, 0, 0) FROM f WHERE id = 1;
SELECT grnet_info(NULL), grnet_global(NULL), grnet_region(NULL, 0, 0, 0);

-- What is no value.
SELECT ''::grnet_features;
SELECT 'grnet1:'::grnet_features;
SELECT 'grnet1:%%%'::grnet_features;
SELECT 'grnet1:AgEBAAEAAAABAAAAAQIDBAUGBwgAAAAAAAAAAAAAAAAAAAAAAAA='::grnet_features;
SELECT 'grnet1:AQEBAAEAAAACAAAAAQIDBAUGBwgAAAAAAAAAAAAAAAAAAAAAAAA='::grnet_features;
SELECT 'grnet1:AQEBAAEAAAABAAAAAQIDBAUGBwgAAAAAAAAAAAAAAAAAAAAAAHw='::grnet_features;
SELECT 'grnet1:AQEBAAEAAAABAAAAAQIDBAUGBwgAAAAAAAAAAAAAAAAAAAAAADw='::grnet_features;

-- Making features.
SELECT grnet_make_features(ARRAY[1, 2]::real[], 'tiny');
SELECT grnet_make_features(array_fill('NaN'::real, ARRAY[40]), 'tiny');
SELECT grnet_make_features(array_fill(1e6::real, ARRAY[40]), 'tiny');
SELECT grnet_make_features(array_fill(NULL::real, ARRAY[40]), 'tiny');
SELECT grnet_make_features(array_fill(1::real, ARRAY[40]), 'nobody');

-- Eight bits: the same image, other bytes, scores that hardly move.
SELECT grnet_info(grnet_quantize(features)) - 'digest' - 'model' FROM f WHERE id = 1;
SELECT bool_and(grnet_info(grnet_quantize(features)) - 'dtype' - 'bytes' = grnet_info(features) - 'dtype' - 'bytes') AS whose,
       bool_and(grnet_quantize(features) <> features) AS other_bytes, bool_and(grnet_quantize(grnet_quantize(features)) = grnet_quantize(features)) AS once,
       bool_and(grnet_quantize(features)::text::grnet_features = grnet_quantize(features)) AS comes_back FROM f;
SELECT max(abs(a.value[i] - b.value[i])) BETWEEN 0.0001 AND 0.51 * max(abs(a.value[i])) / 127 AS within_half_a_step
FROM f, grnet_regions(features) a JOIN grnet_regions(grnet_quantize(features)) b USING (scale, "row", col), generate_series(1, 8) i WHERE id = 1;
SELECT count(*), max(abs((a.features <-> b.features) - (grnet_quantize(a.features) <-> b.features))) < 0.05 AS near,
       bool_and((grnet_quantize(a.features) <-> b.features) = (b.features <-> grnet_quantize(a.features))) AS symmetric
FROM f a, f b WHERE a.id < b.id;
SELECT grnet_quantize(NULL);
SET grnet.feature_dtype = i8;
SELECT grnet_make_features(array_agg((0.01 * i)::real ORDER BY i), 'tiny') AS eight FROM generate_series(1, 40) i \gset
RESET grnet.feature_dtype;
SELECT grnet_quantize(grnet_make_features(array_agg((0.01 * i)::real ORDER BY i), 'tiny')) = :'eight' AS by_way_of_halves FROM generate_series(1, 40) i;
DROP TABLE copied, parts;

-- Base64 in lines, as encode() and many tools give it.
SELECT ('grnet1:' || encode(grnet_features_send(f), 'base64'))::grnet_features = f AS same, strpos(encode(grnet_features_send(f), 'base64'), E'\n') > 0 AS in_lines,
       (E' grnet1:\r\n' || replace(encode(grnet_features_send(f), 'base64'), E'\n', E'\r\n') || E'\r\n')::grnet_features = f AS same_with_returns
FROM (SELECT grnet_embed(image(96, 64, 1)) AS f) made;
SELECT 'grnet1:AA AA'::grnet_features;
SELECT 'grnet 1:AAAA'::grnet_features;

-- Bytes go back as they came, and only if they are a value.
CREATE TABLE backup AS SELECT grnet_features_send(grnet_embed(image(96, 64, 1))) AS bytes;
CREATE TABLE restored (f grnet_features);
INSERT INTO restored SELECT bytes FROM backup;
SELECT f = grnet_embed(image(96, 64, 1)) AS same, bytes::grnet_features = f AS cast_too, grnet_features(bytes) = f AS function_too FROM restored, backup;
INSERT INTO restored VALUES ('\x00'::bytea);
UPDATE restored SET f = substr(bytes, 1, 40) FROM backup;
SELECT NULL::bytea::grnet_features IS NULL AS none;
-- No operator finds it by itself.
SELECT f <-> bytes FROM restored, backup;
DROP TABLE backup, restored;
