//! Odd values, as SQL has them.

/// Whole numbers.
pub const INTEGERS: [&str; 14] =
    ["0", "1", "-1", "2", "3", "5", "16", "64", "100", "1000", "2147483647", "(-2147483648)", "NULL::int", "32768"];
/// Other numbers, without their type.
pub const FLOATS: [&str; 9] = ["0", "1", "-0.5", "'NaN'", "'Infinity'", "'-Infinity'", "1e-300", "1e38", "NULL"];
/// Texts, model names among them.
pub const TEXTS: [&str; 24] = [
    "''",
    "' '",
    "'x'",
    "'tiny'",
    "'base'",
    "'TINY'",
    "'no such'",
    "'%s%n%d'",
    "'a%b'",
    "E'it''s \"quoted\"'",
    "'größe'",
    "'服装'",
    "'👗'",
    "E'\\x01\\n\\t'",
    "repeat('x', 64)",
    "repeat('é', 63)",
    "repeat('long ', 20000)",
    "'../../etc/passwd'",
    "'grnet1:'",
    "'grnet1:AAAA'",
    "'NULL'",
    "'{}'",
    "';--'",
    "NULL::text",
];
/// Conditions of a search.
pub const CONDITIONS: [&str; 12] = [
    "NULL::text",
    "NULL::text",
    "'true'",
    "'false'",
    "'price > 3'",
    "'id < 9 -- all'",
    "'1/0 = 1'",
    "')'",
    "''",
    "'t.id % 2 = 0'",
    "'random() < 0.5'",
    "'features IS NULL'",
];
/// Options.
pub const JSON: [&str; 16] = [
    "'{}'",
    "'null'",
    "'[]'",
    "'1'",
    "'\"x\"'",
    "'{\"steps\": 1}'",
    "'{\"steps\": -1}'",
    "'{\"stepz\": 1}'",
    "'{\"steps\": 1e300}'",
    "'{\"steps\": {\"a\": [null]}}'",
    "'{\"channels\": 0}'",
    "'{\"model\": \"tiny\", \"steps\": 1}'",
    "'{\"shortlist\": 1, \"model\": \"größe\"}'",
    "'{\"held_out\": 99999999999999999999}'",
    "'{\"file\": \"/etc/passwd\"}'",
    "NULL",
];
/// Regions.
pub const BOXES: [&str; 12] = [
    "'(0,0),(10,10)'",
    "'(10,10),(0,0)'",
    "'(0,0),(0,0)'",
    "'(-5,-5),(5,5)'",
    "'(1e300,1e300),(-1e300,-1e300)'",
    "'(NaN,0),(1,1)'",
    "'(Infinity,Infinity),(-Infinity,-Infinity)'",
    "'(0.1,0.1),(0.2,0.2)'",
    "'(23,31),(24,32)'",
    "'(100,100),(200,200)'",
    "'(0,0),(24,32)'",
    "NULL",
];
/// Tables, and what is none.
pub const TABLES: [&str; 16] = [
    "'item'",
    "'part'",
    "'part_low'",
    "'leaf'",
    "'held'",
    "'shown'",
    "'two'",
    "'pg_class'",
    "'question'",
    "'clothed'",
    "'\"Odd %s Sch\"\"ema\".\"It''em %I\"'",
    "'seen'",
    "'made'",
    "0",
    "4294967295",
    "NULL",
];
/// Columns.
pub const COLUMNS: [&str; 8] = ["NULL", "NULL", "'features'", "'f'", "'Fea''t %s'", "'id'", "''", "'no such'"];
/// Queries of a training or an evaluation.
pub const STUDIES: [&str; 14] = [
    "'SELECT n AS item, b AS image, ''shop'' AS domain FROM pool.image WHERE n < 6'",
    "'SELECT n % 3 AS item, b AS image, CASE WHEN n < 3 THEN ''shop'' ELSE ''consumer'' END AS domain FROM pool.image WHERE n < 6'",
    "'SELECT n AS item, b AS image, ''shop'' AS domain FROM pool.image'",
    "'SELECT 1 AS item, NULL::bytea AS image, ''shop'' AS domain'",
    "'SELECT 1 AS item'",
    "'SELECT 1 AS item, 2 AS image, 3 AS domain'",
    "'SELECT NULL AS item, b AS image, NULL::text AS domain FROM pool.image WHERE n < 3'",
    "'SELECT 1/0 AS item, b AS image, ''shop'' AS domain FROM pool.image'",
    "'DELETE FROM item RETURNING id AS item, NULL::bytea AS image, ''shop'' AS domain'",
    "'SELECT n AS item, b AS image, ''shop'' AS domain, box ''(0,0),(NaN,1)'' AS region FROM pool.image WHERE n < 6'",
    "'SELECT 1; SELECT 2'",
    "''",
    "'COMMIT'",
    "NULL",
];
