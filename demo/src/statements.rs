//! The SQL of the demo.

/// Extensions of a new database.
pub const EXTENSIONS: &str = "
CREATE EXTENSION IF NOT EXISTS grnet_pg;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        CREATE EXTENSION IF NOT EXISTS vector;
    END IF;
END $$;";

/// The model, unless it is there.
pub const MODEL: &str = "
SELECT grnet_install_model('base') WHERE NOT EXISTS (SELECT FROM grnet.model WHERE name = 'base');";

/// Catalogue and queries; a trigger keeps each photo's features current.
pub const TABLES: &str = "
CREATE TABLE item (
    id text PRIMARY KEY,
    garment text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    image bytea NOT NULL,
    features grnet_features
);
CREATE TRIGGER item_features BEFORE INSERT OR UPDATE OF image ON item
    FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');

CREATE TABLE query (
    id text PRIMARY KEY,
    garment text NOT NULL,
    stratum text NOT NULL,
    title text NOT NULL,
    image bytea NOT NULL,
    features grnet_features
);
CREATE TRIGGER query_features BEFORE INSERT OR UPDATE OF image ON query
    FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');

COMMENT ON COLUMN item.garment IS 'photos of the same garment have the same word here';
COMMENT ON COLUMN query.garment IS 'the garment that is to be found; empty where nobody knows';
ALTER TABLE item ALTER image SET STORAGE EXTERNAL;
ALTER TABLE query ALTER image SET STORAGE EXTERNAL;
CREATE TABLE demo_parameter (name text PRIMARY KEY, value text NOT NULL);";

/// Whether pgvector is there; the length of the global vector.
pub const ABOUT: &str = "
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector'), channels
FROM grnet.model WHERE name = 'base'";

/// The catalogue in the order of the graph's distance.
pub const BY_GRAPH: &str = "
SELECT id, garment, title, features <-> (SELECT features FROM query WHERE id = $1) AS distance
FROM item
WHERE features IS NOT NULL
ORDER BY distance, id";

/// The catalogue in the order of the global vectors' cosine.
pub const BY_GLOBAL: &str = "
SELECT id, garment, title,
       grnet_global_similarity(features, (SELECT features FROM query WHERE id = $1))::float8 AS similarity
FROM item
WHERE features IS NOT NULL
ORDER BY similarity DESC, id";

/// Why a photo of the catalogue matches, as a picture.
pub const MATCH_MAP: &str = "
SELECT grnet_match_map(query.image, item.image)
FROM query, item
WHERE query.id = $1 AND item.id = $2";

/// What drops a database and makes it again.
pub fn new_database(name: &str) -> [String; 2] {
    [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
}

/// A query to try, and what it is about.
pub struct Example {
    /// One line.
    pub about: &'static str,
    /// To be pasted into psql.
    pub sql: String,
}

/// Queries about a photo of this run and its best match; `photo` is a file with the query's photo.
pub fn examples(query: &str, item: &str, photo: &str) -> [Example; 3] {
    let (query, item) = (literal(query), literal(item));
    [
        Example {
            about: "which garment is it?",
            sql: format!(
                "SELECT id, title, round(grnet_score(features, (SELECT features FROM query WHERE id = {query}))::numeric, 4) AS score\n\
                 FROM item ORDER BY features <-> (SELECT features FROM query WHERE id = {query}) LIMIT 5;"
            ),
        },
        Example {
            about: "why does it match?",
            sql: format!(
                "SELECT edge.* FROM query, item, grnet_explain(query.features, item.features) AS edge\n\
                 WHERE query.id = {query} AND item.id = {item} ORDER BY weight DESC LIMIT 5;"
            ),
        },
        Example {
            about: "a photo from your own disk (any path after base64)",
            sql: format!(
                "\\set photo `base64 -w0 {photo}`\n\
                 SELECT id, title FROM item ORDER BY features <-> grnet_embed(decode(:'photo', 'base64')) LIMIT 5;"
            ),
        },
    ]
}

/// The graph over a shortlist of pgvector's.
pub fn shortlist(query: &str, channels: i32) -> String {
    let query = literal(query);
    format!(
        "CREATE INDEX IF NOT EXISTS item_global ON item\n    \
             USING hnsw ((grnet_global(features)::vector({channels})) vector_cosine_ops);\n\
         WITH seen AS (SELECT features FROM query WHERE id = {query}),\n     \
         shortlist AS MATERIALIZED (\n         \
             SELECT id, title, features FROM item\n         \
             ORDER BY grnet_global(features)::vector({channels}) <=> (SELECT grnet_global(features)::vector({channels}) FROM seen)\n         \
             LIMIT 40)\n\
         SELECT id, title FROM shortlist ORDER BY features <-> (SELECT features FROM seen) LIMIT 8;"
    )
}

/// A string literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_quoted() {
        let [first, ..] = examples("ann's shirt.jpg", "x", "f.jpg");
        assert!(first.sql.contains("'ann''s shirt.jpg'"));
    }
}
