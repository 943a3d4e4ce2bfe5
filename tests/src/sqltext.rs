//! SQL and PL/pgSQL in pieces: enough to say which operators, functions and types are named without their schema.

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word, a quoted name or a number.
    Word(String),
    /// A run of operator letters.
    Operator(String),
    /// Anything else: one letter, or `::`, `:=`, `..`.
    Sign(String),
    /// The content of a string.
    Text(String),
}

use Token::{Operator, Sign, Text, Word};

const OPERATOR_LETTERS: &str = "+-*/<>=~!@#%^&|`?";

fn tokens(sql: &str) -> Vec<Token> {
    let letters: Vec<char> = sql.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let starts = |at: usize, words: &str| words.chars().enumerate().all(|(n, c)| letters.get(at + n) == Some(&c));
    while let Some(&letter) = letters.get(at) {
        let begin = at;
        if letter.is_whitespace() {
            at += 1;
        } else if starts(at, "--") {
            while letters.get(at).is_some_and(|c| *c != '\n') {
                at += 1;
            }
        } else if letter == '\'' {
            let mut text = String::new();
            at += 1;
            while let Some(&c) = letters.get(at) {
                at += 1;
                if c == '\'' {
                    if letters.get(at) != Some(&'\'') {
                        break;
                    }
                    at += 1;
                }
                text.push(c);
            }
            // E'…' is one literal; literals on lines below each other are one too.
            if found.last() == Some(&Word("E".into())) {
                found.pop();
            }
            match found.last_mut() {
                Some(Text(before)) => before.push_str(&text),
                _ => found.push(Text(text)),
            }
        } else if letter == '"' {
            at += 1;
            while letters.get(at).is_some_and(|c| *c != '"') {
                at += 1;
            }
            at += 1;
            found.push(Word(letters[begin + 1..at - 1].iter().collect()));
        } else if letter.is_alphanumeric() || letter == '_' || letter == '$' {
            while letters.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_' || *c == '$') {
                at += 1;
            }
            found.push(Word(letters[begin..at].iter().collect()));
        } else if ["::", ":=", "..", "=>"].iter().any(|sign| starts(at, sign)) {
            at += 2;
            found.push(Sign(letters[begin..at].iter().collect()));
        } else if OPERATOR_LETTERS.contains(letter) {
            while letters.get(at).is_some_and(|c| OPERATOR_LETTERS.contains(*c)) {
                at += 1;
            }
            found.push(Operator(letters[begin..at].iter().collect()));
        } else {
            at += 1;
            found.push(Sign(letter.to_string()));
        }
    }
    found
}

/// Words before a parenthesis that are syntax, or name what the parenthesis only describes.
const SYNTAX: [&str; 27] = [
    "coalesce",
    "extract",
    "exists",
    "any",
    "all",
    "array",
    "values",
    "and",
    "or",
    "not",
    "when",
    "then",
    "else",
    "if",
    "elsif",
    "where",
    "from",
    "select",
    "by",
    "group",
    "as",
    "on",
    "operator",
    "model",
    "model_file",
    "in",
    "into",
];
/// Types that the grammar knows, and looks up in pg_catalog.
const GRAMMAR_TYPES: [&str; 9] =
    ["integer", "int", "bigint", "smallint", "double", "real", "numeric", "boolean", "interval"];
/// Syntax behind which an operator is looked up by its name.
const HIDDEN_OPERATORS: [&str; 6] = ["nullif", "between", "like", "ilike", "similar", "overlaps"];
/// What RAISE takes after USING.
const RAISE_OPTIONS: [&str; 9] =
    ["errcode", "detail", "hint", "message", "column", "table", "schema", "constraint", "datatype"];

fn is(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Word(w) | Operator(w) | Sign(w)) if w.eq_ignore_ascii_case(word))
}

/// What a body, or a query, names without its schema, with a few words around it. Texts in it that are queries
/// themselves are looked at too.
pub fn unqualified(sql: &str) -> Vec<String> {
    let tokens = tokens(sql);
    let mut found = Vec::new();
    let around = |at: usize| format!("{:?}", &tokens[at.saturating_sub(3)..(at + 3).min(tokens.len())]);
    for (at, token) in tokens.iter().enumerate() {
        let before = |n: usize| at.checked_sub(n).and_then(|at| tokens.get(at));
        let after = |n: usize| tokens.get(at + n);
        let bad = match token {
            // OPERATOR(schema.=); SELECT *, t.*, count(*), f(*); USING HINT = …
            Operator(o) if o == "*" && (is(before(1), "select") || is(before(1), ".") || is(before(1), "(")) => {
                is(before(2), "operator") || !(is(before(1), "select") || is(before(1), ".") || is(after(1), ")"))
            }
            Operator(_) if is(before(1), ".") => !(is(before(3), "(") && is(before(4), "operator")),
            Operator(o) if o == "=" => {
                !matches!(before(1), Some(Word(w)) if RAISE_OPTIONS.contains(&w.to_lowercase().as_str()))
            }
            Operator(_) => true,
            Word(w) => {
                let lower = w.to_lowercase();
                let call = is(after(1), "(")
                    && !is(before(1), ".")
                    && !is(before(1), "as")
                    && !SYNTAX.contains(&lower.as_str());
                let cast = is(before(1), "::") && !is(after(1), ".") && !GRAMMAR_TYPES.contains(&lower.as_str());
                let listed = lower == "in" && is(after(1), "(");
                let distinct = lower == "distinct" && is(after(1), "from");
                let using = lower == "using" && is(after(1), "(");
                let case = lower == "case" && !is(after(1), "when") && !is(before(1), "end");
                let natural = lower == "natural";
                call || cast
                    || listed
                    || distinct
                    || using
                    || case
                    || natural
                    || HIDDEN_OPERATORS.contains(&lower.as_str())
            }
            Text(text) => {
                let first = text.trim_start().to_lowercase();
                // A place of format() stands for a name with its schema.
                let text = text
                    .replace("%s.", "some.")
                    .replace("%2$s.", "some.")
                    .replace("%I", "name")
                    .replace("%1$I", "name");
                let text = text.replace("%s", "name").replace("%3$s", "name").replace("%4$s", "name");
                if first.starts_with("select ") || first.starts_with("(\n%s") {
                    found.extend(unqualified(&text));
                }
                false
            }
            Sign(_) => false,
        };
        if bad {
            found.push(around(at));
        }
    }
    found
}

/// The operators and functions that a body names, with or without a schema.
pub fn names(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens(sql) {
        match token {
            Word(word) => found.push(word.to_lowercase()),
            Operator(operator) => found.push(operator),
            Text(text) => found.extend(names(&text)),
            Sign(_) => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::unqualified;

    #[test]
    fn what_has_its_schema_is_taken() {
        for sql in [
            "SELECT pg_catalog.count(*), t.* FROM some.t AS t WHERE t.a OPERATOR(pg_catalog.=) ANY (b)",
            "x := coalesce(a, b)::pg_catalog.text; RAISE 'a % b', c USING HINT = 'd = e';",
            "SELECT f.a FROM pg_catalog.f(x) AS f (a integer) ORDER BY f.a",
            "y := (best[1] OPERATOR(pg_catalog.*) 2)::integer; FOR n IN 1 .. m LOOP",
            "q := pg_catalog.format('SELECT t.%I FROM %s AS t ORDER BY t.%I OPERATOR(%s.<->) $1', a, b, c)",
        ] {
            assert_eq!(unqualified(sql), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn what_is_looked_up_along_the_path_is_found() {
        for sql in [
            "SELECT a = b",
            "SELECT a * b",
            "SELECT (a - b)",
            "SELECT count(*) FROM t",
            "SELECT x::text",
            "SELECT nullif(a, b)",
            "SELECT a WHERE a IN (1, 2)",
            "SELECT a IS DISTINCT FROM b",
            "SELECT CASE a WHEN 1 THEN 2 END",
            "SELECT * FROM a JOIN b USING (c)",
            "SELECT a BETWEEN b AND c",
            "EXECUTE 'SELECT a || b FROM c'",
            "RAISE '%', a USING HINT = b || c;",
        ] {
            assert!(!unqualified(sql).is_empty(), "{sql}");
        }
    }
}
