-- What the other tests stand on: the extension, the tiny model, images made of numbers.
CREATE EXTENSION grnet_pg;
SELECT grnet_install_model('tiny') ~ '^[0-9a-f]{16}$' AS id_has_16_digits;
SELECT current_setting('grnet.model') AS default_model;
ALTER DATABASE :DBNAME SET grnet.model = 'tiny';

CREATE FUNCTION le32(v int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT set_byte(set_byte(set_byte(set_byte('\x00000000'::bytea, 0, v % 256), 1, v / 256 % 256), 2, v / 65536 % 256), 3, v / 16777216)
$$;

-- A 24-bit BMP of blocks whose colours follow from a seed.
CREATE FUNCTION image(width int, height int, seed int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT '\x424d'::bytea || le32(54 + height * stride) || le32(0) || le32(54)
        || le32(40) || le32(width) || le32(height) || '\x01001800'::bytea || le32(0) || le32(height * stride)
        || le32(2835) || le32(2835) || le32(0) || le32(0)
        || (SELECT string_agg(row_bytes, ''::bytea ORDER BY y) FROM (
               SELECT y, string_agg(set_byte(set_byte(set_byte('\x000000'::bytea,
                       0, (seed * 53 + x / 16 * 67 + y / 16 * 29) % 256),
                       1, (seed * 31 + x / 16 * 11 + y / 16 * 71) % 256),
                       2, (seed * 97 + x / 16 * 41 + y / 16 * 13) % 256), ''::bytea ORDER BY x)
                   || substr('\x000000'::bytea, 1, stride - 3 * width) AS row_bytes
               FROM generate_series(0, height - 1) y, generate_series(0, width - 1) x GROUP BY y) pixel_rows)
    FROM (SELECT (3 * width + 3) / 4 * 4 AS stride) s
$$;
SELECT length(image(96, 64, 1)), substr(image(96, 64, 1), 1, 10);
