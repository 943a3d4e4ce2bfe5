-- The trigger keeps a column of features current, and asks the engine only where a photo changed.
CREATE TABLE item (id int PRIMARY KEY, title text, image bytea, part box, features grnet_features);
CREATE TRIGGER features BEFORE INSERT OR UPDATE ON item FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'part');
CREATE FUNCTION photos() RETURNS bigint LANGUAGE sql AS 'SELECT photos FROM grnet.stat_engine';
CREATE VIEW current AS SELECT id, features = grnet_embed(image, part) AS current FROM item ORDER BY id;
INSERT INTO item VALUES (1, 'one', photo(96, 64, 1), NULL), (2, 'two', photo(96, 64, 2), '(0,0),(48,48)'), (3, 'three', NULL, NULL);
SELECT * FROM current;

-- Other columns change: nobody is asked. The same photo again: nobody either.
SELECT photos() AS before \gset
UPDATE item SET title = upper(title);
UPDATE item SET image = photo(96, 64, 1) WHERE id = 1;
SELECT photos() - :before AS embedded;

-- The photo, or its region, changes.
UPDATE item SET image = photo(96, 64, 5) WHERE id = 1;
UPDATE item SET part = '(10,10),(90,60)' WHERE id = 2;
SELECT photos() - :before AS embedded;
SELECT * FROM current;
UPDATE item SET image = NULL WHERE id = 2;
SELECT id, features IS NULL AS empty FROM item ORDER BY id;

-- Asking for a new value; a value of this photo is kept, one of another is not.
UPDATE item SET features = NULL WHERE id = 1;
SELECT * FROM current WHERE id = 1;
SELECT photos() AS before \gset
INSERT INTO item SELECT 4, 'four', image, NULL, features FROM item WHERE id = 1;
SELECT photos() - :before AS embedded;
INSERT INTO item SELECT 5, 'five', photo(96, 64, 6), NULL, features FROM item WHERE id = 1;
SELECT photos() - :before AS embedded;
SELECT * FROM current WHERE id > 3;

-- Another number type changes nothing that is there; a value that was converted is one of this photo.
SET grnet.feature_numbers = 'i8';
SELECT photos() AS before \gset
UPDATE item SET title = lower(title), image = image;
UPDATE item SET features = grnet_quantize(features) WHERE id = 4;
SELECT photos() - :before AS embedded;
SELECT id, grnet_info(features) ->> 'dtype' AS numbers FROM item WHERE id IN (1, 4) ORDER BY id;
UPDATE item SET image = photo(96, 64, 9) WHERE id = 5;
SELECT grnet_info(features) ->> 'dtype' AS numbers FROM item WHERE id = 5;
RESET grnet.feature_numbers;

-- A photo that cannot be read: one error, nothing lost.
INSERT INTO item VALUES (6, 'six', 'no picture');
UPDATE item SET image = 'no picture' WHERE id = 1;
SELECT * FROM current WHERE id = 1;

-- Wrong use.
SELECT grnet_features_trigger();
CREATE TABLE wrong (id int, image text, features grnet_features, other int);
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO wrong VALUES (1, 'x');
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('photo', 'features');
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
