-- Why two images match, as a picture.
CREATE FUNCTION be32(b bytea, at int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT get_byte(b, at) * 16777216 + get_byte(b, at + 1) * 65536 + get_byte(b, at + 2) * 256 + get_byte(b, at + 3)
$$;
CREATE TEMP TABLE map AS SELECT grnet_match_map(image(96, 64, 1), image(64, 96, 2)) AS png;
SELECT substr(png, 1, 8) AS a_png, be32(png, 16) AS width, be32(png, 20) AS height FROM map;
SELECT grnet_match_map(image(96, 64, 1), image(64, 96, 2)) = png AS same,
       grnet_match_map(image(96, 64, 1), image(64, 96, 2), 'tiny') = png AS named_is_default,
       grnet_match_map(image(64, 96, 2), image(96, 64, 1)) = png AS turned_about,
       grnet_match_map(image(96, 64, 1), image(64, 96, 3)) = png AS another FROM map;
SELECT grnet_match_map(NULL, image(96, 64, 1)) IS NULL AS no_query, grnet_match_map(image(96, 64, 1), NULL) IS NULL AS no_item,
       grnet_match_map(image(96, 64, 1), image(96, 64, 1), NULL) IS NULL AS no_model;

-- What is refused, and which of them it is.
SELECT grnet_match_map('not a picture', image(96, 64, 1));
SELECT grnet_match_map(image(96, 64, 1), substr(image(96, 64, 1), 1, 1000));
SELECT grnet_match_map('', 'not a picture');
SELECT grnet_match_map(image(96, 64, 1), image(96, 64, 1), 'nobody');
SET grnet.max_image_bytes = '2kB';
SELECT grnet_match_map(image(16, 16, 1), image(96, 64, 1));
RESET grnet.max_image_bytes;
SET grnet.max_image_pixels = 5000;
SELECT grnet_match_map(image(96, 64, 1), image(16, 16, 1));
RESET grnet.max_image_pixels;
DROP FUNCTION be32;

-- An ordinary role may ask for one.
CREATE ROLE regress_window_shopper;
SET ROLE regress_window_shopper;
SELECT length(grnet_match_map(image(96, 64, 1), image(96, 64, 1))) > 1000 AS drawn;
RESET ROLE;
DROP ROLE regress_window_shopper;
