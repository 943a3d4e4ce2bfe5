-- Mistakes that people make, and what they are told. docs/troubleshooting.md has these words.
CREATE TABLE goods (sku int PRIMARY KEY, path text, image bytea, part box, features grnet_features);
CREATE TRIGGER features BEFORE INSERT OR UPDATE ON goods FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'part', 'model=tiny');
INSERT INTO goods SELECT n, 'shirt.jpg', image(96, 64, n), NULL FROM generate_series(1, 3) n;
SELECT grnet_install_model('base') IS NOT NULL AS installed;
CREATE TABLE used (image bytea, features grnet_features);
CREATE TRIGGER named BEFORE INSERT OR UPDATE ON used FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'model=base');
INSERT INTO used SELECT image FROM goods WHERE sku = 1;
CREATE ROLE regress_clerk;
CREATE SCHEMA elsewhere;
CREATE TABLE mistake (number int PRIMARY KEY, what text, statement text);
INSERT INTO mistake VALUES
    (1, 'a path in a text column', 'SELECT grnet_embed(path) FROM goods'),
    (2, 'the same, with a model', 'SELECT grnet_embed(path, ''tiny'') FROM goods'),
    (3, 'a box as a bare literal', 'SELECT grnet_embed(image, ''(0,0),(40,40)'') FROM goods'),
    (4, 'a box in shares of the image', 'SELECT grnet_embed(image, box ''(0.1,0.2),(0.9,0.8)'') FROM goods'),
    (5, 'the same through the trigger', 'UPDATE goods SET part = box ''(0,0),(0.5,1)'''),
    (6, 'a box outside the image', 'SELECT grnet_embed(image, box ''(500,500),(600,600)'') FROM goods'),
    (7, 'a model that is not there', 'SELECT grnet_embed(image, ''large'') FROM goods'),
    (8, 'a table by its name', 'SELECT * FROM grnet_search(''goods'', (SELECT features FROM goods LIMIT 1))'),
    (9, 'the same, cast', 'SELECT * FROM grnet_search(''goods''::text, (SELECT features FROM goods LIMIT 1))'),
    (10, 'features beside an image', 'SELECT sku FROM goods ORDER BY features <-> image LIMIT 1'),
    (11, 'an image beside features', 'SELECT sku FROM goods ORDER BY image <-> features LIMIT 1'),
    (12, 'features beside a path', 'SELECT sku FROM goods ORDER BY features <-> path LIMIT 1'),
    (13, 'an image for a query', 'SELECT * FROM grnet_search(NULL::goods, (SELECT image FROM goods LIMIT 1))'),
    (14, 'features in an order of their own', 'SELECT sku FROM goods ORDER BY features'),
    (15, 'the extension in a schema that is not in the path', 'SET LOCAL search_path = elsewhere; SELECT features <-> features FROM public.goods'),
    (16, 'the same, a function', 'SET LOCAL search_path = elsewhere; SELECT grnet_embed(image) FROM public.goods'),
    (17, 'no right to a function', 'SET LOCAL ROLE regress_clerk; SELECT grnet_register_model(''mine'', '''')'),
    (18, 'no right to a table', 'SET LOCAL ROLE regress_clerk; SELECT * FROM grnet_search(NULL::public.goods, grnet_embed(public.image(96, 64, 1)))'),
    (19, 'the trigger''s function, called', 'SELECT grnet_features_trigger()'),
    (20, 'a model that is in use', 'SELECT grnet_drop_model(''base'')'),
    (21, 'features of another model, without an image', 'INSERT INTO goods (sku, features) SELECT 9, foreign_features FROM other'),
    (22, 'an image that is none', 'INSERT INTO goods (sku, image) VALUES (8, ''\x00'')');
CREATE TABLE other AS SELECT grnet_features(overlay(grnet_features_send(features) PLACING '\x0102030405060708' FROM 13)) AS foreign_features
    FROM goods WHERE sku = 1;

-- Each as one column of text, whatever the server calls its parts.
CREATE FUNCTION told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text; context text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws(E'\n', state || ': ' || message, 'DETAIL: ' || nullif(detail, ''), 'HINT: ' || nullif(hint, ''),
                     'CONTEXT: ' || substring(context FROM '^grnet[^\n]*'));
END $$;
\pset tuples_only on
\pset format unaligned
\pset recordsep '\n\n'
SELECT format(E'%s: %s\n%s', what, statement, told(statement)) FROM mistake ORDER BY number;
\pset tuples_only off
\pset format aligned

-- What is no error, and gets a NOTICE or a WARNING.
SELECT sku FROM grnet_search(NULL::goods, (SELECT features FROM goods WHERE sku = 99));
CREATE TABLE forgotten (sku int, image bytea, features grnet_features);
INSERT INTO forgotten SELECT sku, image FROM goods;
SELECT count(*) FROM grnet_search(NULL::forgotten, (SELECT features FROM goods WHERE sku = 1));
CREATE TRIGGER blind BEFORE INSERT OR UPDATE OF image ON forgotten FOR EACH ROW
    EXECUTE FUNCTION grnet_features_trigger('image', 'features');
INSERT INTO forgotten SELECT 4, image FROM goods WHERE sku = 1;
SELECT count(*) FROM grnet_search(NULL::forgotten, (SELECT features FROM goods WHERE sku = 1), 1);
SELECT count(*) FROM grnet_search(NULL::forgotten, (SELECT features FROM goods WHERE sku = 1), 2);
-- A box of one pixel is one, and a parameter without a type is features, not an image.
SELECT count(grnet_embed(image, box '(0,0),(1,1)')) FROM goods;
PREPARE like_that AS SELECT sku FROM goods ORDER BY $1 <-> features LIMIT 1;
PREPARE like_this AS SELECT sku FROM goods ORDER BY features <-> $1 LIMIT 1;
SELECT parameter_types FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;

-- A drop that is meant; nothing is used any more.
SELECT grnet_drop_model('base', force => true);
SELECT grnet_install_model('base') IS NOT NULL AS installed;
DROP TABLE used;
SELECT grnet_drop_model('base');
DROP TABLE goods, mistake, other, forgotten;
DROP FUNCTION told;
DROP SCHEMA elsewhere;
DROP ROLE regress_clerk;
