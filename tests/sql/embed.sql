-- Images to features, through the engine.
SELECT grnet_info(grnet_embed(image(96, 64, 1))) - 'digest' - 'model';
SELECT grnet_embed(image(96, 64, 1)) = grnet_embed(image(96, 64, 1)) AS same_image,
       grnet_embed(image(96, 64, 1)) = grnet_embed(image(96, 64, 2)) AS other_image;
SELECT grnet_embed(image(96, 64, 1), 'tiny') = grnet_embed(image(96, 64, 1)) AS named_is_default;
SELECT grnet_embed(NULL::bytea), grnet_embed(NULL, 'tiny'), grnet_embed(NULL, NULL, NULL);
SELECT grnet_embed(image(96, 64, 1), NULL::box) = grnet_embed(image(96, 64, 1)) AS no_region_is_all;

-- A region, in pixels of the upright image; the digest tells it from the whole.
SELECT round(grnet_global_similarity(grnet_embed(image(96, 64, 1), '(0,0),(48,64)'::box), grnet_embed(image(96, 64, 1)))::numeric, 3) AS half_to_whole;
SELECT grnet_embed(image(96, 64, 1), '(0,0),(96,64)'::box) = grnet_embed(image(96, 64, 1)) AS equal,
       grnet_global_similarity(grnet_embed(image(96, 64, 1), '(0,0),(96,64)'::box), grnet_embed(image(96, 64, 1))) > 0.9999 AS alike;
SELECT grnet_embed(image(96, 64, 1), '(200,200),(300,300)'::box);

-- Many at once, NULLs in their places.
SELECT count(*), count(features) FROM unnest(grnet_embed_images(ARRAY[image(96, 64, 1), NULL, image(96, 64, 2)])) features;
SELECT (grnet_embed_images(ARRAY[image(96, 64, 3)]))[1] = grnet_embed(image(96, 64, 3)) AS same;
SELECT grnet_embed_images('{}'), grnet_embed_images(NULL);
SELECT grnet_embed_images(ARRAY[image(96, 64, 1), 'no picture'], 'tiny');
SELECT grnet_embed_images(array_fill(image(32, 32, 1), ARRAY[1025]));

-- In eight bits where the setting says so, also in the middle of a function whose place remembers its last image.
CREATE FUNCTION remembered() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    FOR numbers IN 1 .. 3 LOOP
        PERFORM set_config('grnet.feature_dtype', CASE numbers WHEN 2 THEN 'i8' ELSE 'f16' END, true);
        RETURN NEXT grnet_info(grnet_embed(image(96, 64, 1))) ->> 'dtype';
    END LOOP;
END $$;
SELECT * FROM remembered();
SET grnet.feature_dtype = 'i8';
SELECT grnet_info(grnet_embed(image(96, 64, 1))) - 'digest' - 'model';
SELECT grnet_info(features) ->> 'dtype' FROM unnest(grnet_embed_images(ARRAY[image(96, 64, 1), image(96, 64, 2)])) features;
SELECT grnet_embed(image(96, 64, 1)) AS eight \gset
RESET grnet.feature_dtype;
SELECT grnet_quantize(grnet_embed(image(96, 64, 1))) = :'eight' AS same;
DROP FUNCTION remembered;

-- What is refused, by name.
SELECT grnet_embed('');
SELECT grnet_embed('not a picture');
-- Text in place of an image: what it is, and what to send.
SELECT grnet_embed('/srv/images/1.jpg');
SELECT grnet_embed('https://example.org/1.jpg');
SELECT grnet_embed(convert_to('\xffd8ffe000104a46494600010100', 'SQL_ASCII'));
SELECT grnet_embed('/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD');
SELECT grnet_embed('data:image/png;base64,iVBORw0KGgo');
SELECT grnet_embed(convert_to(chr(255) || chr(216) || chr(255) || chr(224), 'UTF8'));
SELECT grnet_embed('%PDF-1.7 and more');
SELECT grnet_embed(substr(image(96, 64, 1), 1, 1000));
SELECT grnet_embed(image(96, 64, 1), 'nobody');
SET grnet.max_image_bytes = '2kB';
SELECT grnet_embed(image(96, 64, 1));
RESET grnet.max_image_bytes;
SET grnet.max_image_pixels = 5000;
SELECT grnet_embed(image(96, 64, 1));
RESET grnet.max_image_pixels;

-- A STABLE sort key is evaluated once a row, and asks the engine once.
CREATE TABLE ranked AS SELECT g AS id, features FROM (SELECT grnet_embed(image(96, 64, 8)) AS features) one, generate_series(1, 300) g;
SELECT requests AS requests_before FROM grnet.stat_engine \gset
SELECT count(*) FROM (SELECT id FROM ranked ORDER BY features <-> grnet_embed(image(96, 64, 7)) OFFSET 0) all_of_them;
SELECT requests - :requests_before AS requests FROM grnet.stat_engine;
SELECT state, device, "precision", queued, abandoned FROM grnet.stat_engine;
DROP TABLE ranked;
