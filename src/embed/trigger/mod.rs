//! `grnet_features_trigger(image_col, features_col [, region_col] [, 'model=NAME'])`: keeps a column of features current.

mod arguments;
mod model;
mod recent;

use grnet_features::model_file::ModelId;
use grnet_features::value::{Features, ImageDigest};

use crate::error::{Error, Which};
use crate::pg::call::{Call, Value};
use crate::pg::datum::{self, Detoasted};
use crate::pg::row_key;
use crate::pg::row_trigger::RowTrigger;
use crate::{embed, sql_functions};
use arguments::Arguments;

sql_functions! {
    /// BEFORE INSERT OR UPDATE, for each row.
    grnet_features_trigger, pg_finfo_grnet_features_trigger => run;
}

const USAGE: &str = "Write: CREATE TRIGGER ... BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
                     EXECUTE FUNCTION grnet_features_trigger('image', 'features');";

fn run(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(row) = RowTrigger::running(call) else {
        return Err(Error::Trigger {
            message: "grnet_features_trigger runs as a BEFORE INSERT OR UPDATE trigger for each row".into(),
            hint: USAGE,
        });
    };
    let arguments = Arguments::of(&row, call.features_type())?;
    if is_untouched(&row, &arguments) {
        return Ok(row.keep());
    }
    row_key::within(&row, || match row.new_value(arguments.image) {
        Some(image) => with_image(&row, &arguments, image),
        None => without_image(&row, &arguments),
    })
}

/// Whether an UPDATE has nothing to do with image, box and features, which are there: it costs nothing then.
fn is_untouched(row: &RowTrigger, arguments: &Arguments) -> bool {
    let same = |column| !row.sets(column) && row.unchanged(column);
    row.is_update()
        && same(arguments.image)
        && arguments.region.is_none_or(same)
        && same(arguments.features)
        && (row.new_value(arguments.features).is_some() || row.new_value(arguments.image).is_none())
}

/// Features are kept where they were made from this image and box by the trigger's model, and made otherwise.
fn with_image(row: &RowTrigger, arguments: &Arguments, image: pgrx::pg_sys::Datum) -> Result<Value, Error> {
    embed::check_size(datum::size_of(image), Which::Only)?;
    let area = arguments.region.and_then(|region| row.new_value(region)).map(datum::rectangle);
    let image = datum::bytea(image);
    let digest = ImageDigest::of(&image, area);
    let model = model::of_trigger(row, arguments);
    if let Some(value) = row.new_value(arguments.features) {
        let value: Detoasted<'_> = datum::features(value);
        let value = Features::parse(&value)?;
        // A restore may bring rows before models: what fits the image is kept until there is a model to compare with.
        let fits = match &model {
            Ok(model) => value.model() == *model,
            Err(Error::UnknownModel(_)) => true,
            Err(_) => false,
        };
        if fits && value.digest() == digest {
            return Ok(row.keep());
        }
    }
    let model = model?;
    let value = recent::or_make(digest, model, || embed::one(&image, area, model))?;
    Ok(row.with(arguments.features, datum::varlena(&value)))
}

/// Features of an image that is taken away go with it; those that are given without an image are kept, if they are of the
/// trigger's model.
fn without_image(row: &RowTrigger, arguments: &Arguments) -> Result<Value, Error> {
    let Some(value) = row.new_value(arguments.features) else {
        return Ok(row.keep());
    };
    // Also by another trigger, which the command does not know.
    let given = !row.unchanged(arguments.features);
    if row.old_value(arguments.image).is_some() && !row.sets(arguments.features) && !given {
        return Ok(row.with(arguments.features, None));
    }
    if given {
        let value = datum::features(value);
        let got = Features::parse(&value)?.model();
        let before = row.old_value(arguments.features).map(datum::features);
        let before: Option<ModelId> =
            before.and_then(|before| Features::parse(&before).map(|before| before.model()).ok());
        match model::of_trigger(row, arguments) {
            Ok(wanted) if got == wanted || Some(got) == before => {}
            Ok(wanted) => return Err(Error::OtherModel { got, wanted }),
            Err(Error::UnknownModel(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(row.keep())
}
