-- Models: checked on their way in, kept by digest, out again as they came.
SELECT name, backbone, grids, channels, bytes > 1000 AS has_bytes, config -> 'graph' -> 'dim' AS dim FROM grnet.model;
SELECT grnet_install_model('tiny');
\set VERBOSITY terse
SELECT grnet_install_model('nobody');
\set VERBOSITY default
SELECT grnet_install_model('../../etc/passwd');
SELECT grnet_register_model('again', grnet_export_model('tiny'));
SELECT grnet_register_model('Bad Name', grnet_export_model('tiny'));
SELECT grnet_register_model('broken', 'no model');
SELECT grnet_register_model('broken', substr(grnet_export_model('tiny'), 1, 1000));
-- Of the right form, and a backbone that is none: the engine finds it.
SELECT grnet_register_model('broken', renamed) FROM (
    SELECT decode(replace(encode(grnet_export_model('tiny'), 'hex'), encode('backbone.conv.bias', 'hex'), encode('backbone.conv.bia2', 'hex')), 'hex') AS renamed) m;
SELECT grnet_export_model('tiny') IS NOT NULL AS exported, grnet_export_model(NULL);
SELECT grnet_export_model('nobody');

-- Out and in again: features made before can be scored again.
SELECT grnet_export_model('tiny') AS file, id AS tiny FROM grnet.model \gset
SELECT grnet_drop_model('tiny', force => true);
SELECT count(*) FROM grnet.model_file;
SELECT grnet_embed(image(96, 64, 1));
SELECT grnet_register_model('small', :'file') = :'tiny' AS same_id;
SELECT grnet_embed(image(96, 64, 1), 'small') IS NOT NULL AS embedded;
SELECT grnet_drop_model('small', force => true), grnet_install_model('tiny') = :'tiny' AS same_id;
SELECT grnet_drop_model('small');

-- Not even a superuser stores a file under an id that is not its own.
INSERT INTO grnet.model_file VALUES ('0000000000000000', 'something');
\set VERBOSITY terse
INSERT INTO grnet.model_file SELECT '0000000000000000', file FROM grnet.model_file;
