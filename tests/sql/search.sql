-- The first stage: an index of global vectors, searching through it, and what a shortlist costs.
\set SHOW_CONTEXT never
CREATE TABLE shelf (sku int PRIMARY KEY, price int, features grnet_features);
INSERT INTO shelf SELECT n, n % 10, grnet_embed(image(32, 32, n)) FROM generate_series(1, 40) n;
INSERT INTO shelf VALUES (41, 1, NULL);

-- Without pgvector there is no index, and everything is exact.
SELECT grnet_create_index('shelf');
SELECT count(*) FROM grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), 50);
SET client_min_messages = warning;
SELECT shortlist, recall, lowest, same_first FROM grnet_recall('shelf', 5, 3, '{5,20}');
RESET client_min_messages;

CREATE EXTENSION vector;
SELECT grnet_create_index('shelf');
SELECT grnet_create_index('shelf');
SELECT pg_get_indexdef('shelf_grnet_global_idx'::regclass);

SELECT count(*), count(s.features) AS rows_are_whole FROM grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), 3) s;
SELECT s.sku FROM grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), 50, condition => 'price = 7') s
EXCEPT SELECT sku FROM shelf WHERE price = 7;
SELECT array_agg(s.sku) = ARRAY(SELECT sku FROM shelf ORDER BY features <-> (SELECT features FROM shelf WHERE sku = 9) LIMIT 5) AS same
FROM grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 9), 5, shortlist => 40) s;
SHOW grnet.shortlist;
SELECT shortlist, recall, lowest, same_first FROM grnet_recall('shelf', 5, 3, '{1000,0,1000}');
SELECT count(*) FROM grnet_recall('shelf', ARRAY(SELECT features FROM shelf WHERE sku > 35), 3, '{10}', 'price < 5');
SELECT count(*) FROM grnet_search(NULL::shelf, NULL);

-- An empty table whose vectors nobody knows, but the model of the setting.
CREATE TABLE bare (features grnet_features, other grnet_features);
SELECT grnet_create_index('bare');
SELECT grnet_create_index('bare', 'other') IS NOT NULL AS created;
SELECT grnet_create_index('bare', 'none');

-- What is refused.
SELECT grnet_create_index(NULL);
SELECT grnet_create_index('pg_class');
SELECT grnet_create_index('grnet.stat_engine');
SELECT grnet_search(1, NULL);
SELECT grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), 0);
SELECT grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), 3, -1);
SELECT grnet_search(NULL::shelf, (SELECT features FROM shelf WHERE sku = 7), condition => 'sku');
SELECT grnet_recall('shelf', 0);
SELECT grnet_recall('shelf', 1, 0);
SHOW grnet.shortlist;
DROP TABLE shelf, bare;
DROP EXTENSION vector;
