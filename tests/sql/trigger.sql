-- The trigger keeps a column of features current, and asks the engine only where an image changed.
CREATE TABLE item (id int PRIMARY KEY, title text, image bytea, part box, features grnet_features);
CREATE TRIGGER features BEFORE INSERT OR UPDATE ON item FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'part');
CREATE FUNCTION images() RETURNS bigint LANGUAGE sql AS 'SELECT images FROM grnet.stat_engine';
CREATE VIEW current AS SELECT id, features = grnet_embed(image, part) AS current FROM item ORDER BY id;
INSERT INTO item VALUES (1, 'one', image(96, 64, 1), NULL), (2, 'two', image(96, 64, 2), '(0,0),(48,48)'), (3, 'three', NULL, NULL);
SELECT * FROM current;

-- Other columns change: nobody is asked. The same image again: nobody either.
SELECT images() AS before \gset
UPDATE item SET title = upper(title);
UPDATE item SET image = image(96, 64, 1) WHERE id = 1;
SELECT images() - :before AS embedded;

-- The image, or its region, changes.
UPDATE item SET image = image(96, 64, 5) WHERE id = 1;
UPDATE item SET part = '(10,10),(90,60)' WHERE id = 2;
SELECT images() - :before AS embedded;
SELECT * FROM current;
UPDATE item SET image = NULL WHERE id = 2;
SELECT id, features IS NULL AS empty FROM item ORDER BY id;

-- Asking for a new value; a value of this image is kept, one of another is not.
UPDATE item SET features = NULL WHERE id = 1;
SELECT * FROM current WHERE id = 1;
SELECT images() AS before \gset
INSERT INTO item SELECT 4, 'four', image, NULL, features FROM item WHERE id = 1;
SELECT images() - :before AS embedded;
INSERT INTO item SELECT 5, 'five', image(96, 64, 6), NULL, features FROM item WHERE id = 1;
SELECT images() - :before AS embedded;
SELECT * FROM current WHERE id > 3;

-- Another number type changes nothing that is there; a value that was converted is one of this image.
SET grnet.feature_dtype = 'i8';
SELECT images() AS before \gset
UPDATE item SET title = lower(title), image = image;
UPDATE item SET features = grnet_quantize(features) WHERE id = 4;
SELECT images() - :before AS embedded;
SELECT id, grnet_info(features) ->> 'dtype' AS numbers FROM item WHERE id IN (1, 4) ORDER BY id;
UPDATE item SET image = image(96, 64, 9) WHERE id = 5;
SELECT grnet_info(features) ->> 'dtype' AS numbers FROM item WHERE id = 5;
RESET grnet.feature_dtype;

-- An image that cannot be read: one error, nothing lost.
INSERT INTO item VALUES (6, 'six', 'no picture');
UPDATE item SET image = 'no picture' WHERE id = 1;
SELECT * FROM current WHERE id = 1;

-- Wrong use.
SELECT grnet_features_trigger();
CREATE TABLE wrong (id int, image text, features grnet_features, other int);
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('picture', 'features');
INSERT INTO wrong VALUES (1, 'x');
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO wrong VALUES (1, 'x');
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image');
INSERT INTO wrong VALUES (1, 'x');
DROP TRIGGER t ON wrong;
ALTER TABLE wrong ALTER image TYPE bytea USING image::bytea;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'other');
INSERT INTO wrong VALUES (1, 'x');
DROP TRIGGER t ON wrong;
CREATE TRIGGER t AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO wrong VALUES (1, 'x');
DROP TABLE wrong;

-- Features without an image: kept if they are the trigger's model's, else refused; gone with the image that they were made of.
CREATE TABLE bare (id int PRIMARY KEY, image bytea, features grnet_features);
CREATE TRIGGER features BEFORE INSERT OR UPDATE ON bare FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'model=tiny');
CREATE FUNCTION by_model(f grnet_features, id bytea) RETURNS grnet_features LANGUAGE sql IMMUTABLE AS
    $$ SELECT grnet_features(overlay(grnet_features_send(f) PLACING id FROM 13)) $$;
INSERT INTO bare (id, features) SELECT 1, features FROM item WHERE id = 1;
INSERT INTO bare (id, features) SELECT 2, by_model(features, '\x0102030405060708') FROM item WHERE id = 1;
INSERT INTO bare SELECT 3, image, by_model(features, '\x0102030405060708') FROM item WHERE id = 1;
UPDATE bare SET id = 4 WHERE id = 1;
SELECT b.id, grnet_info(b.features) ->> 'model' = grnet_info(i.features) ->> 'model' AS right_model FROM bare b, item i WHERE i.id = 1 ORDER BY 1;
UPDATE bare SET image = NULL WHERE id = 3;
UPDATE bare SET features = by_model(features, '\x0102030405060708') WHERE id = 4;
SELECT id, features IS NULL AS gone FROM bare ORDER BY id;
UPDATE bare SET image = image(96, 64, 7) WHERE id = 3;
UPDATE bare SET image = NULL, features = features WHERE id = 3;
SELECT features IS NULL AS gone FROM bare WHERE id = 3;

-- Features that came past the trigger: SET image makes them right.
ALTER TABLE bare DISABLE TRIGGER features;
UPDATE bare SET image = image(96, 64, 8);
ALTER TABLE bare ENABLE TRIGGER features;
UPDATE bare SET id = id + 10;
SELECT id, features = grnet_embed(image) AS current FROM bare ORDER BY id;
UPDATE bare SET image = image;
SELECT id, features = grnet_embed(image) AS current FROM bare ORDER BY id;

-- An upsert embeds an image once.
SELECT images() AS before \gset
INSERT INTO bare VALUES (13, image(96, 64, 9)) ON CONFLICT (id) DO UPDATE SET image = EXCLUDED.image;
SELECT images() - :before AS embedded, features = grnet_embed(image) AS current FROM bare WHERE id = 13;

-- Whose row it was: its key, as far as the user may read it.
INSERT INTO bare SELECT n, CASE n WHEN 3 THEN 'no picture' ELSE image(96, 64, n) END FROM generate_series(1, 5) n;
CREATE ROLE regress_writer;
GRANT INSERT ON bare TO regress_writer;
SET ROLE regress_writer;
INSERT INTO bare VALUES (1, 'no picture');
RESET ROLE;
GRANT SELECT (id) ON bare TO regress_writer;
SET ROLE regress_writer;
INSERT INTO bare VALUES (1, 'no picture');
RESET ROLE;
REVOKE ALL ON bare FROM regress_writer;
DROP ROLE regress_writer;

-- Columns that the server computes later.
CREATE TABLE computed (b64 text, image bytea GENERATED ALWAYS AS (decode(b64, 'base64')) STORED, features grnet_features);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON computed FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO computed (b64) VALUES ('');

-- Domains, with their conditions.
CREATE DOMAIN picture AS bytea CHECK (octet_length(VALUE) < 100000);
CREATE DOMAIN large_picture AS picture CHECK (octet_length(VALUE) > 1000);
CREATE DOMAIN area AS box;
CREATE DOMAIN exact AS grnet_features CHECK (grnet_info(VALUE) ->> 'dtype' = 'f16');
CREATE TABLE domains (id int PRIMARY KEY, image large_picture, part area, features exact);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON domains FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'part');
INSERT INTO domains VALUES (1, image(96, 64, 1), '(0,0),(48,48)');
SELECT features = grnet_embed(image, part) AS current FROM domains;
SET grnet.feature_dtype = 'i8';
INSERT INTO domains VALUES (2, image(96, 64, 1), NULL);
RESET grnet.feature_dtype;

-- The stored numbers are those of the images, or they are found.
ALTER TABLE bare DISABLE TRIGGER features;
-- The header of one value, with the model and the digest of its image, before the numbers of another.
UPDATE bare SET features = grnet_features(substr(grnet_features_send(bare.features), 1, 36) || substr(grnet_features_send(i.features), 37))
    FROM item i WHERE i.id = 1 AND bare.id = 14;
UPDATE bare SET features = i.features FROM item i WHERE i.id = 4 AND bare.id = 13;
INSERT INTO bare SELECT 19, image, grnet_quantize(features) FROM item WHERE id = 1;
INSERT INTO bare SELECT 20, image(96, 64, 1), by_model(features, '\x0102030405060708') FROM item WHERE id = 1;
INSERT INTO bare VALUES (21, image(96, 64, 1), NULL), (22, NULL, NULL);
INSERT INTO bare SELECT 23, NULL, features FROM item WHERE id = 1;
INSERT INTO bare SELECT 24, 'no picture', features FROM item WHERE id = 1;
SELECT key, similarity > 0.999 AS alike, verdict FROM grnet_verify('bare') ORDER BY key;
SELECT count(*) FROM grnet_verify('bare', sample => 2);
\set SHOW_CONTEXT never
SELECT * FROM grnet_verify('bare', sample => 0);
CREATE TABLE lone AS SELECT image, features FROM item WHERE id = 1;
SELECT * FROM grnet_verify('lone');
SELECT key, verdict FROM grnet_verify('lone', image => 'image');
\set SHOW_CONTEXT errors
DROP TABLE bare, computed, domains, lone;

-- Where another session's rows are applied, a trigger runs if it is told to.
CREATE TABLE applied (id int PRIMARY KEY, image bytea, features grnet_features);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON applied FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
SET session_replication_role = replica;
INSERT INTO applied VALUES (1, image(96, 64, 1));
ALTER TABLE applied ENABLE ALWAYS TRIGGER t;
INSERT INTO applied VALUES (2, image(96, 64, 1));
RESET session_replication_role;
SELECT id, features IS NOT NULL AS made FROM applied ORDER BY id;

-- A trigger that runs before, by its name, may give image or features.
CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.image := image(96, 64, 3); RETURN NEW; END $$;
CREATE TRIGGER a BEFORE UPDATE ON applied FOR EACH ROW EXECUTE FUNCTION before();
UPDATE applied SET id = 3 WHERE id = 2;
SELECT features = grnet_embed(image(96, 64, 3)) AS of_the_new_image FROM applied WHERE id = 3;
DROP TABLE applied;
DROP FUNCTION before;

-- One model for all rows, whatever a session has set: the database's own default, or the trigger's argument.
CREATE FUNCTION models_in(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE names text;
BEGIN
    EXECUTE format('SELECT string_agg(DISTINCT name, '', '') FROM %s, grnet.model WHERE model.id = grnet_info(features) ->> ''model''', relation) INTO names;
    RETURN names;
END $$;
SELECT grnet_install_model('base') IS NOT NULL AS installed;
CREATE TABLE mixed (id int PRIMARY KEY, image bytea, features grnet_features);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON mixed FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO mixed VALUES (1, image(96, 64, 1));
SET grnet.model = 'base';
INSERT INTO mixed VALUES (2, image(96, 64, 2));
INSERT INTO mixed VALUES (3, image(96, 64, 2), grnet_embed(image(96, 64, 2)));
SELECT models_in('mixed');
RESET grnet.model;
DROP TRIGGER t ON mixed;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON mixed FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'model=base');
INSERT INTO mixed VALUES (4, image(96, 64, 1));
UPDATE mixed SET features = NULL;
SELECT models_in('mixed');
DROP TRIGGER t ON mixed;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON mixed FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'model=none');
INSERT INTO mixed VALUES (5, image(96, 64, 1));
DROP TABLE mixed;
SELECT grnet_drop_model('base');
