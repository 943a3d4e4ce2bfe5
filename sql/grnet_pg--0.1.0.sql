-- grnet_pg 0.1.0. Users' functions go into the schema of CREATE EXTENSION; tables and views into the schema grnet.
\echo Use "CREATE EXTENSION grnet_pg" to load this file. \quit

CREATE SCHEMA grnet;
COMMENT ON SCHEMA grnet IS 'models and statistics of grnet_pg';
GRANT USAGE ON SCHEMA grnet TO PUBLIC;

-- The type

CREATE TYPE grnet_features;
COMMENT ON TYPE grnet_features IS 'region features of one image, with the model and the image they were made from';

CREATE FUNCTION grnet_features_in(cstring) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION grnet_features_in(cstring) IS 'input of grnet_features: grnet1: and base64';

CREATE FUNCTION grnet_features_out(grnet_features) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION grnet_features_out(grnet_features) IS 'output of grnet_features: grnet1: and base64';

CREATE FUNCTION grnet_features_recv(internal) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION grnet_features_recv(internal) IS 'binary input of grnet_features';

CREATE FUNCTION grnet_features_send(grnet_features) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION grnet_features_send(grnet_features) IS 'binary output of grnet_features';

CREATE TYPE grnet_features (
    INPUT = grnet_features_in,
    OUTPUT = grnet_features_out,
    RECEIVE = grnet_features_recv,
    SEND = grnet_features_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    -- Half floats do not compress, nor do bytes: 7.2 or 3.7 KB go to TOAST as they are.
    STORAGE = external
);

-- The way back for what grnet_features_send, or a driver, has given: checked as binary input is.
CREATE FUNCTION grnet_features(bytea) RETURNS grnet_features
    AS 'MODULE_PATHNAME', 'grnet_features_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION grnet_features(bytea) IS 'features from the bytes of their binary form';

CREATE CAST (bytea AS grnet_features) WITH FUNCTION grnet_features(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS grnet_features) IS 'features from the bytes of their binary form';

-- Equality: DISTINCT, GROUP BY, hash joins and hash partitions. There is no order.

CREATE FUNCTION grnet_features_eq(grnet_features, grnet_features) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 10;
COMMENT ON FUNCTION grnet_features_eq(grnet_features, grnet_features) IS 'implementation of = operator';

CREATE FUNCTION grnet_features_ne(grnet_features, grnet_features) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 10;
COMMENT ON FUNCTION grnet_features_ne(grnet_features, grnet_features) IS 'implementation of <> operator';

CREATE FUNCTION grnet_features_hash(grnet_features) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION grnet_features_hash(grnet_features) IS 'hash of grnet_features';

CREATE FUNCTION grnet_features_hash_extended(grnet_features, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION grnet_features_hash_extended(grnet_features, bigint) IS 'seeded hash of grnet_features';

CREATE OPERATOR = (
    LEFTARG = grnet_features, RIGHTARG = grnet_features, FUNCTION = grnet_features_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (grnet_features, grnet_features) IS 'equal, byte by byte';

CREATE OPERATOR <> (
    LEFTARG = grnet_features, RIGHTARG = grnet_features, FUNCTION = grnet_features_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (grnet_features, grnet_features) IS 'not equal';

CREATE OPERATOR CLASS grnet_features_ops DEFAULT FOR TYPE grnet_features USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 grnet_features_hash(grnet_features),
    FUNCTION 2 grnet_features_hash_extended(grnet_features, bigint);
COMMENT ON OPERATOR CLASS grnet_features_ops USING hash IS 'equality of grnet_features';
COMMENT ON OPERATOR FAMILY grnet_features_ops USING hash IS 'equality of grnet_features';

-- Images to features

CREATE FUNCTION grnet_embed(image bytea, region box, model text) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION grnet_embed(bytea, box, text) IS 'region features of the part of an image inside a box (pixels of the upright image), by a named model';

CREATE FUNCTION grnet_embed(image bytea, region box) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION grnet_embed(bytea, box) IS 'region features of the part of an image inside a box (pixels of the upright image)';

CREATE FUNCTION grnet_embed(image bytea, model text) RETURNS grnet_features
    AS 'MODULE_PATHNAME', 'grnet_embed_by' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION grnet_embed(bytea, text) IS 'region features of an image, by a named model';

CREATE FUNCTION grnet_embed(image bytea) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION grnet_embed(bytea) IS 'region features of an image, by the model named in the setting grnet.model';

-- Not an overload of grnet_embed: with one, grnet_embed($1) with a parameter of unknown type would be ambiguous.
CREATE FUNCTION grnet_embed_images(images bytea[], model text) RETURNS grnet_features[]
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000000;
COMMENT ON FUNCTION grnet_embed_images(bytea[], text) IS 'region features of several images in one round trip, by a named model';

CREATE FUNCTION grnet_embed_images(images bytea[]) RETURNS grnet_features[]
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000000;
COMMENT ON FUNCTION grnet_embed_images(bytea[]) IS 'region features of several images in one round trip';

CREATE FUNCTION grnet_make_features(regions real[], model text) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION grnet_make_features(real[], text) IS 'features from regions computed elsewhere: scale by scale, row by row, channel by channel';

CREATE FUNCTION grnet_quantize(grnet_features) RETURNS grnet_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION grnet_quantize(grnet_features) IS 'the same features with numbers of one byte and a scale for each region: half the bytes';

-- Scores. IMMUTABLE although they read a model's head: an id is the digest of its content.

CREATE FUNCTION grnet_score_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION grnet_score_support(internal) IS 'planner support of scores';

CREATE FUNCTION grnet_score(grnet_features, grnet_features) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2500 SUPPORT grnet_score_support;
COMMENT ON FUNCTION grnet_score(grnet_features, grnet_features) IS 'probability that two images show the same garment';

CREATE FUNCTION grnet_distance(grnet_features, grnet_features) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2500 SUPPORT grnet_score_support;
COMMENT ON FUNCTION grnet_distance(grnet_features, grnet_features) IS 'implementation of <-> operator: minus the logarithm of grnet_score, strictly monotone where the score prints 1';

CREATE OPERATOR <-> (
    LEFTARG = grnet_features, RIGHTARG = grnet_features, FUNCTION = grnet_distance, COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (grnet_features, grnet_features) IS 'minus the logarithm of the matching probability';

-- An image in the place of features gets an answer. Nothing else is taken for this operator: what has no type yet becomes what
-- stands on the other side.
CREATE FUNCTION grnet.not_embedded(grnet_features, bytea) RETURNS double precision
    AS 'MODULE_PATHNAME', 'grnet_not_embedded' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION grnet.not_embedded(grnet_features, bytea) IS 'refuses to compare features with an image, and says how it is done';

CREATE FUNCTION grnet.not_embedded(bytea, grnet_features) RETURNS double precision
    AS 'MODULE_PATHNAME', 'grnet_not_embedded' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION grnet.not_embedded(bytea, grnet_features) IS 'refuses to compare an image with features, and says how it is done';

CREATE OPERATOR <-> (LEFTARG = grnet_features, RIGHTARG = bytea, FUNCTION = grnet.not_embedded);
COMMENT ON OPERATOR <-> (grnet_features, bytea) IS 'refused: an image is embedded first';

CREATE OPERATOR <-> (LEFTARG = bytea, RIGHTARG = grnet_features, FUNCTION = grnet.not_embedded);
COMMENT ON OPERATOR <-> (bytea, grnet_features) IS 'refused: an image is embedded first';

CREATE FUNCTION grnet_global_similarity(grnet_features, grnet_features) RETURNS real
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION grnet_global_similarity(grnet_features, grnet_features) IS 'cosine of the global vectors: the baseline that grnet_score improves on';

CREATE FUNCTION grnet_explain(query grnet_features, item grnet_features,
    OUT scale integer, OUT query_row integer, OUT query_col integer, OUT item_row integer, OUT item_col integer,
    OUT similarity real, OUT weight double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20000 ROWS 98;
COMMENT ON FUNCTION grnet_explain(grnet_features, grnet_features) IS 'why two images match: pairs of windows, how similar they are, and how much the global node listened to them';

-- Not IMMUTABLE, unlike grnet_explain: it asks the engine, as grnet_embed does.

CREATE FUNCTION grnet_match_map(query_image bytea, item_image bytea, model text) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000000;
COMMENT ON FUNCTION grnet_match_map(bytea, bytea, text) IS 'why two images match: a PNG of both, with the pairs of windows that decided drawn and joined, by a named model';

CREATE FUNCTION grnet_match_map(query_image bytea, item_image bytea) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000000;
COMMENT ON FUNCTION grnet_match_map(bytea, bytea) IS 'why two images match: a PNG of both, with the pairs of windows that decided drawn and joined, by the model named in the setting grnet.model';

-- Reading a value

CREATE FUNCTION grnet_info(grnet_features) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION grnet_info(grnet_features) IS 'what a value says of itself: model, number type, grids, channels, digest of the image';

CREATE FUNCTION grnet_global(grnet_features) RETURNS real[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION grnet_global(grnet_features) IS 'the L2-normalised vector of the whole image, for pgvector: grnet_global(features)::vector';

CREATE FUNCTION grnet_region(grnet_features, scale integer, "row" integer, col integer) RETURNS real[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION grnet_region(grnet_features, integer, integer, integer) IS 'one region as stored; scale, row and column are counted from 0';

CREATE FUNCTION grnet_regions(grnet_features, OUT scale integer, OUT "row" integer, OUT col integer, OUT value real[]) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 14;
COMMENT ON FUNCTION grnet_regions(grnet_features) IS 'all regions as stored; scale, row and column are counted from 0';

CREATE CAST (grnet_features AS real[]) WITH FUNCTION grnet_global(grnet_features);
COMMENT ON CAST (grnet_features AS real[]) IS 'the L2-normalised vector of the whole image';

-- Models: what a dump must carry. Names and figures are everybody's to read, weights are not.

CREATE TABLE grnet.model (
    name text NOT NULL PRIMARY KEY,
    id text NOT NULL UNIQUE,
    backbone text NOT NULL,
    grids integer[] NOT NULL,
    channels integer NOT NULL,
    bytes bigint NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    config jsonb NOT NULL
) USING heap;
COMMENT ON TABLE grnet.model IS 'models of this database';
COMMENT ON COLUMN grnet.model.id IS 'first 8 bytes of the SHA-256 of the file, in hexadecimal digits';
COMMENT ON COLUMN grnet.model.bytes IS 'size of the file';
COMMENT ON COLUMN grnet.model.config IS 'the configuration in the header of the file';
GRANT SELECT ON grnet.model TO PUBLIC;

-- No foreign key: a parallel restore may load this table's rows before the other's.
CREATE TABLE grnet.model_file (
    id text NOT NULL PRIMARY KEY,
    file bytea NOT NULL,
    CHECK (id OPERATOR(pg_catalog.=) pg_catalog."left"(pg_catalog.encode(pg_catalog.sha256(file), 'hex'), 16))
) USING heap;
ALTER TABLE grnet.model_file ALTER COLUMN file SET STORAGE EXTERNAL;

-- Whoever may write to the table (pg_write_all_data, say) still cannot put in what grnet_register_model would refuse:
-- above all a TorchScript backbone, which is a program.
CREATE FUNCTION grnet.check_model_file() RETURNS trigger
    AS 'MODULE_PATHNAME', 'grnet_check_model_file' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION grnet.check_model_file() IS 'refuses files that are no model, and TorchScript from anyone but a superuser';
REVOKE ALL ON FUNCTION grnet.check_model_file() FROM PUBLIC;
CREATE TRIGGER check_file BEFORE INSERT OR UPDATE ON grnet.model_file FOR EACH ROW EXECUTE FUNCTION grnet.check_model_file();
ALTER TABLE grnet.model_file ENABLE ALWAYS TRIGGER check_file;
COMMENT ON TRIGGER check_file ON grnet.model_file IS 'refuses files that are no model, and TorchScript from anyone but a superuser';
-- Sessions keep what they score with: whatever takes a file away, or another into its place, tells them.
CREATE FUNCTION grnet.forget_models() RETURNS trigger
    AS 'MODULE_PATHNAME', 'grnet_forget_models' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION grnet.forget_models() IS 'has every session look again which models are there';
REVOKE ALL ON FUNCTION grnet.forget_models() FROM PUBLIC;
CREATE TRIGGER forget_models AFTER UPDATE OR DELETE OR TRUNCATE ON grnet.model_file
    FOR EACH STATEMENT EXECUTE FUNCTION grnet.forget_models();
ALTER TABLE grnet.model_file ENABLE ALWAYS TRIGGER forget_models;
COMMENT ON TRIGGER forget_models ON grnet.model_file IS 'has every session look again which models are there';
COMMENT ON TABLE grnet.model_file IS 'the files of the models: configuration and weights as safetensors';
REVOKE ALL ON grnet.model_file FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('grnet.model', '');
SELECT pg_catalog.pg_extension_config_dump('grnet.model_file', '');

CREATE FUNCTION grnet_install_model(name text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION grnet_install_model(text) IS 'registers a model that ships with the extension (base, tiny); its id';
REVOKE ALL ON FUNCTION grnet_install_model(text) FROM PUBLIC;

CREATE FUNCTION grnet_register_model(name text, file bytea) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION grnet_register_model(text, bytea) IS 'checks and stores a model file; its id';
REVOKE ALL ON FUNCTION grnet_register_model(text, bytea) FROM PUBLIC;

CREATE FUNCTION grnet_drop_model(name text, force boolean DEFAULT false) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION grnet_drop_model(text, boolean) IS 'removes a model that no trigger names and no table has values of, or with force any: features that it made can no longer be scored';
REVOKE ALL ON FUNCTION grnet_drop_model(text, boolean) FROM PUBLIC;

CREATE FUNCTION grnet_export_model(name text) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION grnet_export_model(text) IS 'the file of a model, as it was registered';
REVOKE ALL ON FUNCTION grnet_export_model(text) FROM PUBLIC;

-- Training and evaluation. VOLATILE: whoever calls them waits for a process of minutes or hours.

CREATE FUNCTION grnet_train(name text, query text, options jsonb DEFAULT '{}',
    OUT model text, OUT improved boolean, OUT steps integer, OUT report jsonb) RETURNS record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000000;
COMMENT ON FUNCTION grnet_train(text, text, jsonb) IS 'trains a model on the images of a query (item, image, domain [, region]) and registers it where it improved on its start';
REVOKE ALL ON FUNCTION grnet_train(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION grnet_evaluate(query text, model text DEFAULT NULL, options jsonb DEFAULT '{}',
    OUT "set" text, OUT stratum text, OUT ranking text, OUT queries integer, OUT gallery integer, OUT not_in_gallery integer,
    OUT unreadable integer, OUT top1 double precision, OUT top5 double precision, OUT top20 double precision,
    OUT top50 double precision, OUT low double precision[], OUT high double precision[], OUT gain double precision[],
    OUT gain_low double precision[], OUT gain_high double precision[]) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000000 ROWS 3;
COMMENT ON FUNCTION grnet_evaluate(text, text, jsonb) IS 'how well a model ranks the shop images of a query (item, image, domain [, region] [, set] [, view] [, occlusion] [, cropping]) for its consumer images, with 95 % intervals';
REVOKE ALL ON FUNCTION grnet_evaluate(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION grnet_stat_progress_train(
    OUT pid integer, OUT datname text, OUT command text, OUT model text, OUT phase text, OUT images bigint, OUT items bigint,
    OUT bytes bigint, OUT done bigint, OUT total bigint, OUT loss double precision, OUT global_top1 double precision,
    OUT graph_top1 double precision, OUT started_at timestamptz, OUT eta timestamptz) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 10000 ROWS 1;
COMMENT ON FUNCTION grnet_stat_progress_train() IS 'how far trainings and evaluations are; read it through grnet.stat_progress_train';

CREATE VIEW grnet.stat_progress_train AS SELECT * FROM grnet_stat_progress_train();
COMMENT ON VIEW grnet.stat_progress_train IS 'a row for the training and the evaluation that run on this server: backend, phase, images or steps done, figures of the last validation';
GRANT SELECT ON grnet.stat_progress_train TO PUBLIC;

-- The first stage. In PL/pgSQL, since these write SQL for the caller's table and run it with the caller's rights.

CREATE FUNCTION grnet.features_column(item regclass, wanted name) RETURNS name
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns name[];
BEGIN
    IF item IS NULL THEN
        RAISE 'the table is NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = item AND relkind IN ('r', 'm', 'p')) THEN
        RAISE '% is not a table', item USING ERRCODE = 'wrong_object_type', DETAIL = 'Tables, partitioned tables and materialised views can be searched.';
    END IF;
    -- A domain over the type will do, and one over such a domain.
    columns := ARRAY(
        WITH RECURSIVE base (attnum, attname, type) AS (
            SELECT attnum, attname, atttypid FROM pg_attribute WHERE attrelid = item AND attnum > 0 AND NOT attisdropped
            UNION ALL
            SELECT attnum, attname, typbasetype FROM base JOIN pg_type ON oid = type AND typtype = 'd')
        SELECT attname FROM base WHERE type = '@extschema@.grnet_features'::regtype ORDER BY attnum);
    IF wanted IS NULL AND cardinality(columns) = 1 THEN
        RETURN columns[1];
    ELSIF wanted = ANY (columns) THEN
        RETURN wanted;
    ELSIF wanted IS NOT NULL THEN
        RAISE '% has no column "%" of type grnet_features', item, wanted USING ERRCODE = 'undefined_column';
    ELSIF cardinality(columns) = 0 THEN
        RAISE '% has no column of type grnet_features', item USING ERRCODE = 'undefined_column';
    END IF;
    RAISE '% has several columns of type grnet_features', item USING ERRCODE = 'ambiguous_column',
        DETAIL = format('Columns: %s.', array_to_string(columns, ', ')), HINT = 'Name one: "column" => ''...''.';
END $$;
COMMENT ON FUNCTION grnet.features_column(regclass, name) IS 'the column of features that is named or the only one of a table';

CREATE FUNCTION grnet.global_indexes(item regclass, features name, OUT index regclass, OUT valid boolean) RETURNS SETOF record
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 ROWS 1 SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
    -- With this search_path a definition names each function and type by its schema. Whatever else stands in it is code of
    -- the index's maker, and would run with the rights of whoever searches.
    -- A column of a domain is made one of the type in it.
    WITH own (index, valid, expression, ours) AS (
        SELECT i.indexrelid, i.indisvalid, btrim(pg_get_indexdef(i.indexrelid, 1, false), '() '),
               format('%s.grnet_global(%s))::%I.', '@extschema@', argument, n.nspname)
        FROM unnest(ARRAY[quote_ident(features), format('(%I)::%s.grnet_features', features, '@extschema@')]) AS argument, pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'hnsw',
             pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE i.indrelid = item AND i.indpred IS NULL AND i.indnkeyatts = 1 AND e.extname = 'vector')
    SELECT index::regclass, valid FROM own
    WHERE starts_with(expression, ours) AND substr(expression, length(ours) + 1) ~ '^(halfvec|vector)([(][0-9]+)?$'
    ORDER BY index;
$$;
COMMENT ON FUNCTION grnet.global_indexes(regclass, name) IS 'the indexes of a column''s global vectors, and whether they may be used';

CREATE FUNCTION grnet.global_index(item regclass, features name) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 2000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    best regclass;
    usable boolean;
BEGIN
    SELECT index, valid INTO best, usable FROM grnet.global_indexes(item, features) ORDER BY valid DESC, index LIMIT 1;
    IF usable THEN
        RETURN best;
    ELSIF best IS NOT NULL THEN
        RAISE WARNING 'index % of % is invalid, no ranking uses it', best, item
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'What makes it, or makes it again, has not come to its end.',
                  HINT = format('Where nobody is at it any more, REINDEX INDEX %s; makes it usable, and DROP INDEX %s; removes it.', best, best);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION grnet.global_index(regclass, name) IS 'the index that shortlists of a table are taken from';

CREATE FUNCTION grnet_create_index(item regclass, "column" name DEFAULT NULL, m integer DEFAULT 16,
    ef_construction integer DEFAULT 64) RETURNS regclass
    LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    features name := grnet.features_column(item, "column");
    vector name;
    known record;
    models text[];
    lengths integer[];
    before oid[];
    made regclass;
BEGIN
    IF m IS NULL OR ef_construction IS NULL THEN
        RAISE '% must not be NULL', CASE WHEN m IS NULL THEN 'm' ELSE 'ef_construction' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Left out, m is 16 and ef_construction 64.';
    END IF;
    SELECT nspname INTO vector FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector';
    IF vector IS NULL OR to_regtype(format('%I.halfvec', vector)) IS NULL THEN
        RAISE 'an index for a shortlist needs pgvector 0.7 or later' USING ERRCODE = 'undefined_object',
            HINT = 'CREATE EXTENSION vector; or ALTER EXTENSION vector UPDATE. Without an index every ranking is exact.';
    END IF;
    SELECT index, valid INTO known FROM grnet.global_indexes(item, features) ORDER BY valid DESC, index LIMIT 1;
    IF known.valid THEN
        RAISE NOTICE '% has such an index already: %', item, known.index;
        RETURN known.index;
    ELSIF known.index IS NOT NULL THEN
        RAISE 'index % of % is invalid', known.index, item USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'What makes it, or makes it again, has not come to its end.',
            HINT = format('Where nobody is at it any more, REINDEX INDEX %s; makes it usable, and DROP INDEX %s; removes it.', known.index, known.index);
    END IF;
    -- One pass over the values, of which the index takes many: better than what pgvector says of the first odd one.
    EXECUTE format('SELECT array_agg(model), array_agg(DISTINCT channels) FROM (SELECT channels, format(''%%s (%%s, %%s channels, %%s rows)'', '
                   'coalesce((SELECT name FROM grnet.model WHERE id = model), ''not in this database''), model, channels, count(*)) AS model '
                   'FROM (SELECT (info ->> ''channels'')::int AS channels, info ->> ''model'' AS model '
                   'FROM (SELECT %1$s.grnet_info(%2$I) AS info FROM %3$s WHERE %2$I IS NOT NULL OFFSET 0) AS said) AS read '
                   'GROUP BY model, channels ORDER BY count(*) DESC, model) AS models',
                   '@extschema@', features, item) INTO models, lengths;
    IF cardinality(lengths) > 1 THEN
        RAISE 'the features of % are of % models, whose vectors differ in length', item, cardinality(models)
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Models: %s.', array_to_string(models, '; ')),
                  HINT = 'An index is of one model''s vectors: embed the others again, or keep them in a column of their own.';
    ELSIF cardinality(models) > 1 THEN
        RAISE WARNING 'the features of % are of % models, which cannot be compared', item, cardinality(models)
            USING DETAIL = format('Models: %s.', array_to_string(models, '; ')),
                  HINT = 'A search that comes upon a row of another model ends with an error.';
    ELSIF lengths IS NULL THEN
        -- The library, which knows the setting, is loaded by the first of its functions.
        PERFORM @extschema@.grnet_embed(NULL::bytea);
        lengths := ARRAY(SELECT channels FROM grnet.model WHERE name = current_setting('grnet.model'));
    END IF;
    IF cardinality(lengths) = 0 THEN
        RAISE 'nobody knows how long the vectors of % are', item USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('No row has features, and the model "%s" of the setting grnet.model is not registered.',
                            current_setting('grnet.model')),
            HINT = 'Fill the column, or register the model, first.';
    END IF;
    before := ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = item);
    EXECUTE format('CREATE INDEX ON %1$s USING hnsw ((%2$s.grnet_global(%3$I)::%4$I.halfvec(%5$s)) %4$I.halfvec_ip_ops) '
                   'WITH (m = %6$s, ef_construction = %7$s)', item, '@extschema@', features, vector, lengths[1], m, ef_construction);
    SELECT indexrelid INTO made FROM pg_index WHERE indrelid = item AND indexrelid <> ALL (before);
    RETURN made;
END $$;
COMMENT ON FUNCTION grnet_create_index(regclass, name, integer, integer) IS 'creates the index (pgvector, HNSW) that grnet.shortlist takes its candidates from';

-- From here on no SET search_path: the caller's condition, and functions of his table, are looked up along his own. So
-- every operator, function and type that is ours to choose is named with its schema; what has no place for one (nullif, IN,
-- BETWEEN, IS DISTINCT FROM, a CASE with an operand, USING) is not used.

-- A condition must be one expression by itself. In other brackets than those it will stand in, nothing but that is one: what
-- closes the round ones too early does not fit into square ones.
CREATE FUNCTION grnet.condition(item regclass, condition text, query grnet_features, k bigint) RETURNS text
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 AS $$
BEGIN
    IF condition IS NULL THEN
        RETURN 'true';
    END IF;
    -- A comment at its end must not reach the bracket.
    EXECUTE pg_catalog.format(E'SELECT FROM %s AS t WHERE (ARRAY[\n%s\n])[1] LIMIT 0', item, condition) USING query, k;
    RETURN pg_catalog.format(E'(\n%s\n)', condition);
END $$;
COMMENT ON FUNCTION grnet.condition(regclass, text, grnet_features, bigint) IS 'a condition as it may stand in a query; refused where it is not one expression';

CREATE FUNCTION grnet.tell_of_missing(item regclass, features name, k bigint) RETURNS void
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 AS $$
DECLARE
    seen bigint;
    filled bigint;
BEGIN
    -- A glance at the table's beginning, whatever its size.
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*), pg_catalog.count(first.value) FROM (SELECT t.%I AS value FROM %s AS t LIMIT %s) AS first',
        features, item, CASE WHEN k OPERATOR(pg_catalog.>) 100 THEN k ELSE 100 END) INTO seen, filled;
    IF filled OPERATOR(pg_catalog.<) (seen OPERATOR(pg_catalog.-) filled) AND filled OPERATOR(pg_catalog.<) k THEN
        RAISE NOTICE '% of the first % rows of % have features', filled, seen, item
            USING HINT = 'Others are like nothing and come last. grnet_features_trigger makes them for rows that come in, and UPDATE ... SET '
                         'features = NULL has it make them for rows that were there before it.';
    END IF;
END $$;
COMMENT ON FUNCTION grnet.tell_of_missing(regclass, name, bigint) IS 'a NOTICE where a table that is searched lacks features';

CREATE FUNCTION grnet_search(item anyelement, query grnet_features, k integer DEFAULT 20, shortlist integer DEFAULT NULL,
    condition text DEFAULT NULL, "column" name DEFAULT NULL) RETURNS SETOF anyelement
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20 AS $$
DECLARE
    relation pg_catalog.regclass := (SELECT type.typrelid FROM pg_catalog.pg_type AS type
                                     WHERE type.oid OPERATOR(pg_catalog.=) pg_catalog.pg_typeof(item)::pg_catalog.oid);
    features pg_catalog.name;
    before pg_catalog.text := pg_catalog.current_setting('grnet.shortlist', true);
BEGIN
    IF relation::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN
        RAISE 'the first argument is of type %, which is no table''s', pg_catalog.pg_typeof(item)
            USING ERRCODE = 'wrong_object_type', HINT = 'A table is named by its row type: grnet_search(NULL::item, ...).';
    END IF;
    features := grnet.features_column(relation, "column");
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 THEN
        RAISE 'k must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF query IS NULL THEN
        RAISE NOTICE 'the query is NULL, so no row is like it'
            USING HINT = 'Features of a NULL image are NULL, and so is a subselect that finds no row.';
        RETURN;
    END IF;
    PERFORM grnet.tell_of_missing(relation, features, k);
    condition := grnet.condition(relation, condition, query, k);
    -- For this search only: what fails takes the setting back with everything else.
    PERFORM pg_catalog.set_config('grnet.shortlist', coalesce(shortlist::pg_catalog.text, before, '0'), true);
    RETURN QUERY EXECUTE pg_catalog.format('SELECT t.* FROM %s AS t WHERE %s ORDER BY t.%I OPERATOR(%s.<->) $1 LIMIT $2',
        relation, condition, features, '@extschema@') USING query, k;
    PERFORM pg_catalog.set_config('grnet.shortlist', coalesce(before, '0'), true);
END $$;
COMMENT ON FUNCTION grnet_search(anyelement, grnet_features, integer, integer, text, name) IS 'the k best rows of a table, best first: by the graph, of the shortlist where one is set or given';

CREATE FUNCTION grnet.recall(item regclass, queries grnet_features[], own text[], k integer, shortlists integer[], condition text,
    "column" name, OUT shortlist integer, OUT recall double precision, OUT lowest double precision,
    OUT same_first double precision, OUT ms double precision, OUT p95_ms double precision) RETURNS SETOF record
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000000 ROWS 6 AS $$
DECLARE
    search pg_catalog.text;
    lengths integer[] := pg_catalog.array_prepend(0, ARRAY(
        SELECT DISTINCT given.n FROM pg_catalog.unnest(coalesce(shortlists, '{50,100,200,500,1000}')) AS given (n)
        WHERE given.n OPERATOR(pg_catalog.<>) 0 ORDER BY given.n));
    before pg_catalog.text := pg_catalog.current_setting('grnet.shortlist', true);
    began pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    told pg_catalog.timestamptz := began;
    since pg_catalog.timestamptz;
    spent double precision;
    asked integer := pg_catalog.cardinality(queries);
    wanted integer;
    best pg_catalog.text[];
    exact pg_catalog.text[];
    figures pg_catalog.jsonb := '[]';
BEGIN
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 THEN
        RAISE 'k must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    condition := grnet.condition(item, condition, queries[1], k);
    search := pg_catalog.format('SELECT pg_catalog.array_agg(best.id) FROM (SELECT pg_catalog.concat(t.tableoid, '':'', t.ctid) AS id FROM %s AS t '
        'WHERE %s ORDER BY t.%I OPERATOR(%s.<->) $1 LIMIT $2) AS best', item, condition, "column", '@extschema@');
    IF grnet.global_index(item, "column") IS NULL THEN
        RAISE NOTICE '% has no index for shortlists: every ranking is exact', item USING HINT = CASE
            WHEN EXISTS (SELECT FROM grnet.global_indexes(item, "column")) THEN 'One that is invalid counts for none.'
            ELSE 'grnet_create_index makes one.' END;
    END IF;
    FOR number IN 1 .. asked LOOP
        CONTINUE WHEN queries[number] IS NULL;
        -- The exact ranking comes first and brings the values into memory for the others.
        FOREACH shortlist IN ARRAY lengths LOOP
            PERFORM pg_catalog.set_config('grnet.shortlist', shortlist::pg_catalog.text, true);
            since := pg_catalog.clock_timestamp();
            EXECUTE search INTO best USING queries[number], k::bigint OPERATOR(pg_catalog.+) 1;
            ms := extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) since) OPERATOR(pg_catalog.*) 1000;
            -- A row that asks for its likes comes first itself.
            best := (pg_catalog.array_remove(best, own[number]))[:k];
            IF shortlist OPERATOR(pg_catalog.=) 0 THEN
                exact := best;
            END IF;
            wanted := pg_catalog.cardinality(exact);
            recall := (SELECT pg_catalog.count(*) FROM pg_catalog.unnest(exact) AS e (id) WHERE e.id OPERATOR(pg_catalog.=) ANY (best));
            figures := figures OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('shortlist', shortlist, 'ms', ms,
                'recall', CASE WHEN wanted OPERATOR(pg_catalog.>) 0 THEN recall OPERATOR(pg_catalog./) wanted END,
                'first', (best[1] OPERATOR(pg_catalog.=) exact[1])::integer);
        END LOOP;
        IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) (told OPERATOR(pg_catalog.+) interval '2 s') THEN
            told := pg_catalog.clock_timestamp();
            spent := extract(epoch FROM told OPERATOR(pg_catalog.-) began);
            RAISE NOTICE '% of % queries, % s left', number, asked,
                pg_catalog.round((spent OPERATOR(pg_catalog.*) (asked OPERATOR(pg_catalog.-) number)) OPERATOR(pg_catalog./) number);
        END IF;
    END LOOP;
    PERFORM pg_catalog.set_config('grnet.shortlist', coalesce(before, '0'), true);
    RETURN QUERY
    SELECT f.shortlist, pg_catalog.avg(f.recall), pg_catalog.min(f.recall), pg_catalog.avg(f.first)::double precision,
           pg_catalog.round(pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY f.ms)::numeric, 2)::double precision,
           pg_catalog.round(pg_catalog.percentile_cont(0.95) WITHIN GROUP (ORDER BY f.ms)::numeric, 2)::double precision
    FROM pg_catalog.jsonb_to_recordset(figures)
        AS f (shortlist integer, recall double precision, first integer, ms double precision)
    GROUP BY f.shortlist ORDER BY f.shortlist;
END $$;
COMMENT ON FUNCTION grnet.recall(regclass, grnet_features[], text[], integer, integer[], text, name) IS 'what both forms of grnet_recall share';

CREATE FUNCTION grnet_recall(item regclass, queries grnet_features[], k integer DEFAULT 20, shortlists integer[] DEFAULT NULL,
    condition text DEFAULT NULL, "column" name DEFAULT NULL, OUT shortlist integer, OUT recall double precision,
    OUT lowest double precision, OUT same_first double precision, OUT ms double precision, OUT p95_ms double precision)
    RETURNS SETOF record
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000000 ROWS 6 AS $$
    SELECT * FROM grnet.recall(item, queries, NULL, k, shortlists, condition, grnet.features_column(item, "column"));
$$;
COMMENT ON FUNCTION grnet_recall(regclass, grnet_features[], integer, integer[], text, name) IS 'how much of the exact ranking shortlists of several lengths find, and how long they take, for given queries';

CREATE FUNCTION grnet_recall(item regclass, sample integer DEFAULT 30, k integer DEFAULT 20, shortlists integer[] DEFAULT NULL,
    condition text DEFAULT NULL, "column" name DEFAULT NULL, OUT shortlist integer, OUT recall double precision,
    OUT lowest double precision, OUT same_first double precision, OUT ms double precision, OUT p95_ms double precision)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000000 ROWS 6 AS $$
DECLARE
    features pg_catalog.name := grnet.features_column(item, "column");
    queries @extschema@.grnet_features[];
    own pg_catalog.text[];
BEGIN
    IF sample IS NULL OR sample OPERATOR(pg_catalog.<) 1 THEN
        RAISE 'the sample must have 1 row or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- By a hash of where rows lie: as good as by chance, and the same rows every time.
    EXECUTE pg_catalog.format('SELECT pg_catalog.array_agg(taken.value), pg_catalog.array_agg(taken.id) FROM ('
        'SELECT t.%1$I::%2$s.grnet_features AS value, pg_catalog.concat(t.tableoid, '':'', t.ctid) AS id '
        'FROM %3$s AS t WHERE t.%1$I IS NOT NULL AND %4$s '
        'ORDER BY pg_catalog.hashtextextended(t.ctid::pg_catalog.text, 42), t.tableoid LIMIT $2) AS taken',
        features, '@extschema@', item, grnet.condition(item, condition, NULL, sample))
        INTO queries, own USING NULL::@extschema@.grnet_features, sample;
    RETURN QUERY SELECT * FROM grnet.recall(item, coalesce(queries, '{}'), own, k, shortlists, condition, features);
END $$;
COMMENT ON FUNCTION grnet_recall(regclass, integer, integer, integer[], text, name) IS 'how much of the exact ranking shortlists of several lengths find, and how long they take, for a sample of the table''s own rows';

-- Catalogues

CREATE FUNCTION grnet_features_trigger() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION grnet_features_trigger() IS 'keeps a column of features current: BEFORE INSERT OR UPDATE, FOR EACH ROW, arguments: image column, features column [, region column] [, model=NAME]';

CREATE FUNCTION grnet.features_triggers(item regclass, OUT name name, OUT arguments text[]) RETURNS SETOF record
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    -- Arguments lie one behind the other, each ended by a zero.
    SELECT t.tgname, ARRAY(SELECT convert_from(decode(part[1], 'hex'), getdatabaseencoding())
                           FROM regexp_matches(encode(t.tgargs, 'hex'), '((?:(?!00)..)*)00', 'g') WITH ORDINALITY AS parts (part, place) ORDER BY place)
    FROM pg_trigger AS t WHERE t.tgrelid = item AND t.tgfoid = '@extschema@.grnet_features_trigger()'::regprocedure ORDER BY t.tgname;
$$;
COMMENT ON FUNCTION grnet.features_triggers(regclass) IS 'the triggers of a table that make features, with their arguments';

CREATE FUNCTION grnet.least_similarity(grnet_features, grnet_features) RETURNS real
    AS 'MODULE_PATHNAME', 'grnet_least_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION grnet.least_similarity(grnet_features, grnet_features) IS 'the least cosine of two values'' regions, NULL where they have none in common';

CREATE FUNCTION grnet_verify(item regclass, "column" name DEFAULT NULL, sample integer DEFAULT 100, image name DEFAULT NULL,
    region name DEFAULT NULL, OUT key text, OUT similarity real, OUT verdict text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000000 ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    features name := grnet.features_column(item, "column");
    arguments text[];
    wanted text;
    keys name[];
    shown text;
    total bigint;
    done bigint := 0;
    began timestamptz := clock_timestamp();
    told timestamptz := began;
    made @extschema@.grnet_features;
    model text;
    one record;
BEGIN
    IF sample < 1 THEN
        RAISE 'the sample must have 1 row or more' USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL takes all rows.';
    END IF;
    SELECT t.arguments INTO arguments FROM grnet.features_triggers(item) AS t WHERE t.arguments[2] = features LIMIT 1;
    IF arguments[cardinality(arguments)] LIKE 'model=%' THEN
        wanted := substr(arguments[cardinality(arguments)], 7);
        arguments := arguments[:cardinality(arguments) - 1];
    END IF;
    IF image IS NULL THEN
        image := arguments[1];
        region := coalesce(region, arguments[3]::name);
    END IF;
    IF image IS NULL THEN
        RAISE 'nothing says which column of % has the images', item USING ERRCODE = 'undefined_column',
            DETAIL = format('No grnet_features_trigger makes the column "%s".', features), HINT = 'Name it: image => ''...''.';
    END IF;
    keys := ARRAY(SELECT a.attname FROM pg_index AS i, unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                  JOIN pg_attribute AS a ON a.attrelid = item AND a.attnum = k.number WHERE i.indrelid = item AND i.indisprimary ORDER BY place);
    IF cardinality(keys) > 0 THEN
        shown := format('concat(%L, concat_ws('', '', %s), '')'')', format('(%s)=(', array_to_string(keys, ', ')),
                        (SELECT string_agg(format('coalesce(t.%I::text, ''null'')', k), ', ') FROM unnest(keys) AS k));
    ELSE
        shown := 'concat(t.tableoid::regclass, '' '', t.ctid)';
    END IF;
    EXECUTE format('SELECT least(count(*), $1) FROM %s AS t WHERE t.%I IS NOT NULL OR t.%I IS NOT NULL', item, features, image) INTO total USING sample;
    -- By a hash of where rows lie: as good as by chance, and the same rows every time.
    FOR one IN EXECUTE format(
        'SELECT %s AS key, t.%I::bytea AS image, t.%I::%s.grnet_features AS value, %s AS region FROM %s AS t '
        'WHERE t.%3$I IS NOT NULL OR t.%2$I IS NOT NULL ORDER BY hashtextextended(t.ctid::text, 42), t.tableoid LIMIT $1',
        shown, image, features, '@extschema@', CASE WHEN region IS NULL THEN 'NULL::box' ELSE format('t.%I::box', region) END, item) USING sample
    LOOP
        key := one.key;
        similarity := NULL;
        SELECT m.name INTO model FROM grnet.model AS m WHERE m.id = @extschema@.grnet_info(one.value) ->> 'model';
        verdict := CASE WHEN one.value IS NULL THEN 'no features'
                        WHEN model IS NULL THEN 'unknown model'
                        WHEN model <> wanted THEN 'other model'
                        WHEN one.image IS NULL THEN 'no image' END;
        IF verdict IS NULL THEN
            BEGIN
                made := @extschema@.grnet_embed(one.image, one.region, model);
                similarity := grnet.least_similarity(one.value, made);
                verdict := CASE WHEN @extschema@.grnet_info(one.value) ->> 'digest' <> @extschema@.grnet_info(made) ->> 'digest' THEN 'other image'
                                WHEN similarity >= 0.98 THEN 'same' ELSE 'other numbers' END;
            EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
                verdict := 'unreadable image';
            END;
        END IF;
        RETURN NEXT;
        done := done + 1;
        IF clock_timestamp() > told + interval '2 s' THEN
            told := clock_timestamp();
            RAISE NOTICE '% of % rows, % s left', done, total, round(extract(epoch FROM told - began) * (total - done) / done);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION grnet_verify(regclass, name, integer, name, name) IS 'embeds a sample of a table''s images again and compares with the features that are stored: how rows are found whose numbers are of no image';

-- Statistics

CREATE FUNCTION grnet_stat_engine(
    OUT state text, OUT pid integer, OUT supervisor_pid integer, OUT version text, OUT device text, OUT "precision" text,
    OUT fence text, OUT uptime_s double precision, OUT restarts bigint, OUT connections bigint, OUT queued bigint, OUT queued_max bigint,
    OUT requests bigint, OUT images bigint, OUT batches bigint, OUT refused bigint, OUT busy bigint, OUT abandoned bigint,
    OUT mean_decode_ms double precision, OUT mean_batch_ms double precision, OUT mean_request_ms double precision,
    OUT max_request_ms double precision, OUT resident_bytes bigint, OUT last_exit text) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 10000 ROWS 1;
COMMENT ON FUNCTION grnet_stat_engine() IS 'what the engine does; read it through grnet.stat_engine';

CREATE VIEW grnet.stat_engine AS SELECT * FROM grnet_stat_engine();
COMMENT ON VIEW grnet.stat_engine IS 'the engine: state (running, starting, failing, stopped, not responding), device, queue, counters and mean times since its start';
GRANT SELECT ON grnet.stat_engine TO PUBLIC;
