//! Models: rows of `grnet.model` and `grnet.model_file`, and the scorers a backend makes of them once.

mod uses;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use grnet_features::config::Backbone;
use grnet_features::model_file::{self, ModelFile, ModelId};
use grnet_features::value::Features;
use grnet_score::head::Head;
use grnet_score::scorer::{PreparedFeatures, Scorer};
use grnet_wire::MAX_REQUEST;
use pgrx::datum::DatumWithOid;
use pgrx::{IntoDatum, PgBuiltInOids as Type, Spi};

use crate::engine::client;
use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::catalog::{self, MODEL, MODEL_FILE};
use crate::pg::row_trigger::RowTrigger;
use crate::pg::{datum, encoding, extension_tables, process};
use crate::{settings, sql_functions};

sql_functions! {
    /// `grnet_install_model(name text) → text`: registers a model that ships with the extension; its id.
    grnet_install_model, pg_finfo_grnet_install_model => install;
    /// `grnet_register_model(name text, file bytea) → text`: checks and stores a model file; its id.
    grnet_register_model, pg_finfo_grnet_register_model => register_model;
    /// `grnet_drop_model(name text [, force boolean]) → void`.
    grnet_drop_model, pg_finfo_grnet_drop_model => drop_model;
    /// `grnet_export_model(name text) → bytea`: the file as it was registered.
    grnet_export_model, pg_finfo_grnet_export_model => export;
    /// `grnet.check_model_file()`: the trigger on `grnet.model_file`.
    grnet_check_model_file, pg_finfo_grnet_check_model_file => check_file;
    /// `grnet.forget_models()`: the other trigger on `grnet.model_file`.
    grnet_forget_models, pg_finfo_grnet_forget_models => forget;
}

/// A model that this backend scored with.
struct Known {
    scorer: Rc<Scorer>,
    /// [`extension_tables::changes`] when it was last seen in the database.
    seen: u64,
}

thread_local! {
    /// Every model this backend scored with. An id is a digest of its file, so what was made of it never grows stale;
    /// but it may be dropped.
    static SCORERS: RefCell<HashMap<ModelId, Known>> = RefCell::new(HashMap::new());
}

/// The scorer of a model, read once a backend.
///
/// # Errors
/// The model is not in this database, or its file cannot be read.
pub fn scorer(id: ModelId) -> Result<Rc<Scorer>, Error> {
    // Before it is looked for: a change that comes in meanwhile has it looked for again.
    let now = extension_tables::changes();
    let known = SCORERS.with_borrow(|known| known.get(&id).map(|known| (Rc::clone(&known.scorer), known.seen)));
    if let Some((scorer, seen)) = known {
        if seen != now {
            require(id).inspect_err(|_| SCORERS.with_borrow_mut(|known| drop(known.remove(&id))))?;
            remember(id, &scorer, now);
        }
        return Ok(scorer);
    }
    // The graph's tensors are 2 % of a file, and the file was checked when it was registered: reading it whole, and its
    // digest, made a session's first score take 20 ms longer.
    let excerpt = catalog::find_with(&MODEL_FILE, 0, &id.to_string(), 1, |stored| {
        model_file::excerpt("graph.", |from, length| stored.part(from, length))
    })?;
    let excerpt = excerpt.ok_or(Error::UnknownModelId(id))?;
    let scorer = Rc::new(Scorer::new(Head::read(&ModelFile::parse_as(&excerpt, id)?)?)?);
    remember(id, &scorer, now);
    Ok(scorer)
}

/// Keeps a scorer of a model that is there.
fn remember(id: ModelId, scorer: &Rc<Scorer>, seen: u64) {
    let known = Known { scorer: Rc::clone(scorer), seen };
    SCORERS.with_borrow_mut(|all| all.insert(id, known));
}

/// Refuses a model whose file is not in this database: the engine may have it from another one.
///
/// # Errors
/// [`Error::UnknownModelId`].
fn require(id: ModelId) -> Result<(), Error> {
    catalog::find_with(&MODEL_FILE, 0, &id.to_string(), 1, |_| Ok(()))?.ok_or(Error::UnknownModelId(id))
}

/// Prepares a value with its own model's scorer.
///
/// # Errors
/// As [`scorer`], and where the value's shape is not the model's.
pub fn prepare(features: &Features<'_>) -> Result<(Rc<Scorer>, PreparedFeatures), Error> {
    let scorer = scorer(features.model())?;
    let prepared = scorer.prepare(features)?;
    Ok((scorer, prepared))
}

/// A model's file.
///
/// # Errors
/// The model is not in this database.
pub fn file(id: ModelId) -> Result<Vec<u8>, Error> {
    catalog::find(&MODEL_FILE, 0, &id.to_string(), 1)?.ok_or(Error::UnknownModelId(id))
}

/// The id behind a name, or behind the setting `grnet.model` where there is none.
///
/// # Errors
/// No model has that name, or its file is not there.
pub fn resolve(name: Option<&str>) -> Result<ModelId, Error> {
    let name = name.map_or_else(settings::model, str::to_owned);
    let id = catalog::find(&MODEL, 0, &name, 1)?
        .and_then(|id| String::from_utf8(id).ok()?.parse().ok())
        .ok_or(Error::UnknownModel(name))?;
    // A row of `grnet.model` alone, which somebody may be allowed to write, opens no model of another database.
    require(id)?;
    Ok(id)
}

fn install(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(name) = call.text(0) else {
        return Ok(None);
    };
    process::refuse_read_only(c"grnet_install_model()");
    check_name(&name)?;
    let path = process::share_dir().join("grnet_pg/models").join(format!("{name}.safetensors"));
    let file = std::fs::read(&path).map_err(|e| Error::NotShipped {
        name: name.clone(),
        detail: catalog::may_see_paths().then(|| format!("{}: {e}.", path.display())),
    })?;
    let model = check(&file)?;
    refuse_taken(&name, model.id)?;
    store(&name, &file, &model)
}

fn register_model(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(name), Some(file)) = (call.text(0), call.varlena(1)) else {
        return Ok(None);
    };
    process::refuse_read_only(c"grnet_register_model()");
    check_name(&name)?;
    let model = check(&file)?;
    refuse_taken(&name, model.id)?;
    match client::load(&file) {
        Ok(()) => {}
        Err(error @ Error::UnfitModel(_)) => return Err(error),
        Err(error) => error.notice("the backbone's tensors were not checked: the engine could not be asked"),
    }
    store(&name, &file, &model)
}

fn drop_model(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(name) = call.text(0) else {
        return Ok(None);
    };
    process::refuse_read_only(c"grnet_drop_model()");
    if !call.boolean(1) {
        let id = catalog::find(&MODEL, 0, &name, 1)?.and_then(|id| String::from_utf8(id).ok()?.parse().ok());
        let uses = id.map(|id| uses::of(&name, id, call.features_type())).transpose()?.unwrap_or_default();
        if !uses.is_empty() {
            return Err(Error::ModelInUse { name, uses });
        }
    }
    let dropped: Option<String> = Spi::get_one_with_args(
        "WITH gone AS (DELETE FROM grnet.model WHERE name OPERATOR(pg_catalog.=) $1 RETURNING id), \
         file AS (DELETE FROM grnet.model_file f USING gone WHERE f.id OPERATOR(pg_catalog.=) gone.id) \
         SELECT id FROM gone",
        &[argument(datum::text(&name), Type::TEXTOID)],
    )
    .ok()
    .flatten();
    match dropped {
        Some(_) => Ok(Some(pgrx::pg_sys::Datum::null())),
        None => Err(Error::UnknownModel(name)),
    }
}

fn export(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(name) = call.text(0) else {
        return Ok(None);
    };
    Ok(datum::varlena(&file(resolve(Some(&name))?)?))
}

fn check_file(call: &mut Call<'_>) -> Result<Value, Error> {
    let row = RowTrigger::running(call).filter(|row| row.table() == "model_file");
    let Some((row, file)) = row.and_then(|row| row.column("file").map(|file| (row, file))) else {
        return Err(Error::Trigger {
            message: "grnet.check_model_file runs on grnet.model_file only".into(),
            hint: "Models come in through grnet_register_model.",
        });
    };
    // A NULL is left to the column's own constraint.
    if let Some(file) = row.new_value(file) {
        check(&datum::bytea(file))?;
    }
    Ok(row.keep())
}

fn forget(call: &mut Call<'_>) -> Result<Value, Error> {
    extension_tables::tell_of_change(call).ok_or_else(|| Error::Trigger {
        message: "grnet.forget_models runs as a trigger on grnet.model_file only".into(),
        hint: "Models come in through grnet_register_model.",
    })
}

pub fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
        return Err(Error::BadModelName(name.to_owned()));
    }
    Ok(())
}

/// Checks what can be checked without the engine: the container, the configuration, every tensor's type and values,
/// the shapes of the reduction and the graph.
pub fn check(file: &[u8]) -> Result<ModelFile<'_>, Error> {
    let model = ModelFile::parse(file)?;
    model.check_tensors()?;
    Head::read(&model)?;
    // With room for the message around it: a larger one could be stored and never be sent.
    if file.len() + 64 > MAX_REQUEST {
        return Err(Error::UnfitModel(format!("the file has {} bytes, the limit is {MAX_REQUEST}", file.len())));
    }
    if model.config.backbone == Backbone::Torchscript && !catalog::superuser() {
        return Err(Error::TorchScript);
    }
    Ok(model)
}

pub fn refuse_taken(name: &str, id: ModelId) -> Result<(), Error> {
    refuse_taken_name(name)?;
    match catalog::find(&MODEL, 1, &id.to_string(), 0)? {
        Some(name) => Err(Error::FileTaken { id, name: encoding::from_server(&name) }),
        None => Ok(()),
    }
}

/// Refuses a name that a model has.
///
/// # Errors
/// [`Error::NameTaken`].
pub fn refuse_taken_name(name: &str) -> Result<(), Error> {
    match catalog::find(&MODEL, 0, name, 1)? {
        Some(_) => Err(Error::NameTaken(name.to_owned())),
        None => Ok(()),
    }
}

/// Writes both rows of a model.
pub fn store(name: &str, file: &[u8], model: &ModelFile<'_>) -> Result<Value, Error> {
    let id = model.id.to_string();
    let config = serde_json::to_value(&model.config).unwrap_or_default();
    let backbone = config["backbone"]["kind"].as_str().unwrap_or_default().to_owned();
    let grids: Vec<i32> = model.config.pyramid.grids.iter().map(|g| i32::from(*g)).collect();
    let run = |sql: &str, arguments: &[DatumWithOid<'_>]| {
        Spi::run_with_args(sql, arguments).map_err(|e| Error::Argument(e.to_string()))
    };
    run(
        "INSERT INTO grnet.model (name, id, backbone, grids, channels, bytes, config) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            argument(datum::text(name), Type::TEXTOID),
            argument(datum::text(&id), Type::TEXTOID),
            argument(datum::text(&backbone), Type::TEXTOID),
            argument(grids.into_datum(), Type::INT4ARRAYOID),
            argument(i32::try_from(model.config.channels).unwrap_or(0).into_datum(), Type::INT4OID),
            argument(i64::try_from(file.len()).unwrap_or(0).into_datum(), Type::INT8OID),
            argument(datum::jsonb(&config), Type::JSONBOID),
        ],
    )?;
    run(
        "INSERT INTO grnet.model_file (id, file) VALUES ($1, $2)",
        &[argument(datum::text(&id), Type::TEXTOID), argument(datum::varlena(file), Type::BYTEAOID)],
    )?;
    Ok(datum::text(&id))
}

/// A query's argument.
#[allow(unsafe_code, reason = "pairs a datum with its type")]
fn argument<'a>(value: Value, oid: Type) -> DatumWithOid<'a> {
    match value {
        // SAFETY: every caller above made the datum from a Rust value of just that type.
        Some(value) => unsafe { DatumWithOid::new(value, oid.value()) },
        None => DatumWithOid::null_oid(oid.value()),
    }
}
