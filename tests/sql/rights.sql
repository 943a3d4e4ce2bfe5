-- What an ordinary role may do.
CREATE ROLE regress_shop;
SET ROLE regress_shop;
SELECT grnet_score(f, f) BETWEEN 0 AND 1 AS may_score, grnet_global_similarity(f, f) > 0.99 AS may_compare
FROM (SELECT grnet_embed(image(96, 64, 1)) AS f) mine;
SELECT name FROM grnet.model;
SELECT state FROM grnet.stat_engine;
SELECT count(*) AS running FROM grnet.stat_progress_train;
SET grnet.embed_timeout = '10s';
SET grnet.model = 'tiny';
SET grnet.feature_dtype = 'i8';

-- What it may not.
SELECT grnet_install_model('base');
SELECT grnet_register_model('mine', '');
SELECT grnet_drop_model('tiny');
SELECT grnet_export_model('tiny');
SELECT grnet_train('mine', 'SELECT 1');
SELECT grnet_evaluate('SELECT 1');
TABLE grnet.model_file;
DELETE FROM grnet.model;
SET grnet.max_image_bytes = '1GB';
SET grnet.max_image_pixels = 10000000;
SET grnet.engine_program = '/bin/true';
SET grnet.engine_device = 'cpu';
SELECT count(*) AS visible FROM pg_settings WHERE name = 'grnet.engine_program';
RESET ROLE;

-- Settings have limits, and no misspelt neighbours.
\set VERBOSITY sqlstate
SET grnet.embed_timeout = 0;
SET grnet.max_image_pixels = 1;
\set VERBOSITY default
SET grnet.feature_dtype = 'f32';
SET grnet.modell = 'tiny';
SET grnet.engine_max_queue = 5;
RESET ALL;
DROP ROLE regress_shop;
