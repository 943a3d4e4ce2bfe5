//! `grnet_features_trigger(image_col, features_col [, region_col])`: keeps a column of features current.

use grnet_core::features::{Features, ImageDigest};
use pgrx::pg_sys;

use crate::error::{Error, Which};
use crate::ffi::call::{Call, Value};
use crate::ffi::datum::{self, Detoasted};
use crate::ffi::row_trigger::{Column, RowTrigger};
use crate::{embed, model, sql_functions};

sql_functions! {
    /// BEFORE INSERT OR UPDATE, for each row.
    grnet_features_trigger, pg_finfo_grnet_features_trigger => run;
}

const USAGE: &str = "Write: CREATE TRIGGER ... BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
                     EXECUTE FUNCTION grnet_features_trigger('image', 'features');";

/// Computes features where they are missing or were made from another photo, and only there.
///
/// A value that is there is kept if its digest says that it was made from this photo and region: an UPDATE of another
/// column, a dump's rows, or a replica's never ask the engine. Setting the column to NULL asks for a new value.
fn run(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(row) = RowTrigger::running(call) else {
        return Err(Error::Trigger {
            message: "grnet_features_trigger runs as a BEFORE INSERT OR UPDATE trigger for each row".into(),
            hint: USAGE,
        });
    };
    let names = row.arguments();
    let (image, features, region) = match names.as_slice() {
        [image, features] => (column(&row, image)?, column(&row, features)?, None),
        [image, features, region] => (column(&row, image)?, column(&row, features)?, Some(column(&row, region)?)),
        _ => {
            return Err(Error::Trigger {
                message: format!("grnet_features_trigger takes 2 or 3 column names, {} were given", names.len()),
                hint: USAGE,
            });
        }
    };
    expect(&row, &names[0], image, pg_sys::BYTEAOID, "bytea")?;
    expect(&row, &names[1], features, call.features_type(), "grnet_features")?;
    if let Some(region) = region {
        expect(&row, &names[2], region, pg_sys::BOXOID, "box")?;
    }
    let Some(photo) = row.new_value(image) else {
        return Ok(row.with(features, None));
    };
    let same_photo = row.unchanged(image) && region.is_none_or(|region| row.unchanged(region));
    if same_photo && row.new_value(features).is_some() && row.unchanged(features) {
        return Ok(row.keep());
    }
    embed::check_size(datum::size_of(photo), Which::Only)?;
    let area = region.and_then(|region| row.new_value(region)).map(datum::rectangle);
    let photo = datum::bytea(photo);
    if let Some(value) = row.new_value(features) {
        let value: Detoasted<'_> = datum::features(value);
        let made_from = Features::parse(&value)?.digest();
        if made_from == ImageDigest::of(&photo, area) {
            return Ok(row.keep());
        }
    }
    let id = model::resolve(None)?;
    let value = embed::one(&photo, area, id)?;
    Ok(row.with(features, datum::varlena(&value)))
}

fn column(row: &RowTrigger, name: &str) -> Result<Column, Error> {
    row.column(name).ok_or_else(|| Error::Trigger {
        message: format!("table \"{}\" has no column \"{name}\"", row.table()),
        hint: USAGE,
    })
}

fn expect(row: &RowTrigger, name: &str, column: Column, wanted: pg_sys::Oid, type_name: &str) -> Result<(), Error> {
    if column.type_id == wanted {
        return Ok(());
    }
    Err(Error::Trigger {
        message: format!("column \"{name}\" of table \"{}\" is not of type {type_name}", row.table()),
        hint: USAGE,
    })
}
