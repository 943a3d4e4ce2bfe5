//! What the extension has: read from the server, so that what is new is tried too.

use postgres::{Client, Row};

/// A function of the extension.
#[derive(Debug, Clone)]
pub struct Function {
    /// With its schema, as SQL.
    pub name: String,
    /// Name and arguments, for reports.
    pub signature: String,
    /// Types of its arguments.
    pub arguments: Vec<String>,
    /// Their names; empty where they have none.
    pub names: Vec<String>,
    /// How many of the last ones may be left out.
    pub defaults: usize,
    /// The type of its result.
    pub result: String,
    /// Whether it returns a set.
    pub is_set: bool,
}

/// An operator of the extension.
#[derive(Debug, Clone)]
pub struct Operator {
    /// `OPERATOR(schema.name)`.
    pub name: String,
    /// Type of the left side.
    pub left: String,
    /// Type of the right side.
    pub right: String,
    /// Type of the result.
    pub result: String,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Functions.
    pub functions: Vec<Function>,
    /// Operators.
    pub operators: Vec<Operator>,
    /// Casts: from and to.
    pub casts: Vec<(String, String)>,
    /// Views and tables.
    pub relations: Vec<String>,
}

/// `catalog` is joined as `o`.
fn members(catalog: &str, select: &str, order: &str) -> String {
    format!(
        "SELECT {select} FROM {catalog} o JOIN pg_depend d ON d.classid = '{catalog}'::regclass AND d.objid = o.oid \
         AND d.deptype = 'e' JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid \
         WHERE e.extname = 'grnet_pg' ORDER BY {order}"
    )
}

fn function(row: &Row) -> Function {
    let (name, arguments): (String, Vec<String>) = (row.get(0), row.get(1));
    let defaults: i16 = row.get(3);
    Function {
        signature: format!("{name}({})", arguments.join(", ")),
        name,
        arguments,
        names: row.get::<_, Option<Vec<String>>>(2).unwrap_or_default(),
        defaults: usize::try_from(defaults).unwrap_or(0),
        result: row.get(4),
        is_set: row.get(5),
    }
}

impl Catalogue {
    /// What the server has.
    ///
    /// # Panics
    /// The server refuses.
    pub fn read(client: &mut Client) -> Self {
        let types = "ARRAY(SELECT format_type(t, NULL) FROM unnest(o.proargtypes) WITH ORDINALITY u (t, n) ORDER BY n)";
        // Arguments that go in come first.
        let names = "o.proargnames[1:o.pronargs]";
        let sql = members(
            "pg_proc",
            &format!(
                "format('%s.%I', o.pronamespace::regnamespace, o.proname), {types}, {names}, o.pronargdefaults, \
                 format_type(o.prorettype, NULL), o.proretset"
            ),
            "1, 2",
        );
        let functions = client.query(&sql, &[]).expect("functions").iter().map(function).collect();
        let sql = members(
            "pg_operator",
            "format('OPERATOR(%s.%s)', o.oprnamespace::regnamespace, o.oprname), format_type(o.oprleft, NULL), \
             format_type(o.oprright, NULL), format_type(o.oprresult, NULL)",
            "1, 2, 3",
        );
        let operator =
            |row: &Row| Operator { name: row.get(0), left: row.get(1), right: row.get(2), result: row.get(3) };
        let operators = client.query(&sql, &[]).expect("operators").iter().map(operator).collect();
        let sql = members("pg_cast", "format_type(castsource, NULL), format_type(casttarget, NULL)", "1, 2");
        let casts = client.query(&sql, &[]).expect("casts").iter().map(|row| (row.get(0), row.get(1))).collect();
        let sql = members("pg_class", "o.oid::regclass::text", "1");
        let relations = client.query(&sql, &[]).expect("relations").iter().map(|row| row.get(0)).collect();
        Self { functions, operators, casts, relations }
    }
}
