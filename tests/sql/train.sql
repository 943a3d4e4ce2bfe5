-- What is refused before anything is trained; tests/tests/training.rs trains.
SELECT pg_get_function_result('grnet_train'::regproc), pg_get_function_result('grnet_evaluate'::regproc);
SELECT grnet_train('tiny', 'SELECT 1');
SELECT grnet_train('No Name', 'SELECT 1');
SELECT grnet_train('mine', 'SELECT 1', '{"model": "nobody"}');
SELECT grnet_train('mine', 'SELECT 1', '7');
SELECT grnet_train('mine', NULL);
SELECT grnet_train('mine', 'SELECT 1 AS item');
SELECT grnet_train('mine', 'SELECT 1 AS item, ''x'' AS image, ''shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, photo(8, 8, 1) AS image, ''Shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, NULL::bytea AS image, ''shop'' AS domain');
SELECT grnet_train('mine', 'SELECT 1 AS item, photo(8, 8, 1) AS image, ''shop'' AS domain WHERE false');
SELECT grnet_evaluate('SELECT 1 AS item, photo(8, 8, 1) AS image, ''consumer'' AS domain, ''gallery'' AS set');
SELECT * FROM grnet_evaluate(NULL);
SELECT count(*) FROM grnet.stat_progress_train;
