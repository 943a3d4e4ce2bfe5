//! A table of images with item and domain: FindFashion's annotations, ours, or a user's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::dataset::found::Found;
use crate::dataset::image::Image;
use crate::error::DataError;
use crate::sources::seen::Seen;
use crate::table;
use crate::table::row::Row;

/// Reads a table. Files are named relative to its folder, or to `images` inside it, one of the two for the whole table.
/// An image without an item is a garment of its own. Garments are numbered from `first`.
///
/// # Errors
/// The table, or a row of it, is not acceptable; the line is named.
pub fn read(path: &Path, first: usize) -> Result<Found, DataError> {
    let rows = table::read(path, &["file", "item", "domain"])?;
    let root = root(path, &rows)?;
    let (mut numbers, mut seen, mut images) = (HashMap::new(), Seen::default(), Vec::with_capacity(rows.len()));
    let mut next = first;
    for row in &rows {
        let (shop, region, strata, split) = (row.shop()?, row.region()?, row.strata()?, row.split()?);
        let path = root.join(row.file()?);
        if !seen.add(row)? {
            continue;
        }
        let known = numbers.get(row.get("item")).copied();
        let item = known.unwrap_or(next);
        if known.is_none() {
            next += 1;
            if !row.get("item").is_empty() {
                numbers.insert(row.get("item").to_owned(), item);
            }
        }
        images.push(Image { region, item, shop, strata, split, ..Image::new(path) });
    }
    Ok(Found { images, warnings: seen.warning().into_iter().collect() })
}

/// What a table's files are relative to.
///
/// # Errors
/// The first row has no file.
pub fn root(path: &Path, rows: &[Row]) -> Result<PathBuf, DataError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let inner = folder.join("photos");
    Ok(match rows.first() {
        Some(row) if inner.join(row.file()?).is_file() => inner,
        _ => folder.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::image::Split;
    use crate::dataset::strata::{Level, Strata, View};

    /// What is found in a table with that text.
    fn found(text: &str) -> Result<Found, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annotations.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, 5).map_err(|error| error.to_string())
    }

    #[test]
    fn items_domains_and_boxes_are_read() {
        let text = "file,item,domain,left,top,width,height\na.jpg,x,shop,1,2,3,4\nb.jpg,x,consumer,,,,\nc.jpg,,shop,,,,\n\
                    d.jpg,,shop,,,,\ne.jpg,y,shop,,,,\n";
        let images = found(text).unwrap().images;
        assert_eq!(images.iter().map(|p| p.item).collect::<Vec<_>>(), [5, 5, 6, 7, 8]);
        assert_eq!(images.iter().map(|p| p.shop).collect::<Vec<_>>(), [true, false, true, true, true]);
        assert_eq!(images[0].region.unwrap().width, 3.0);
        assert!(images[1].region.is_none());
    }

    #[test]
    fn half_a_box_and_an_unknown_domain_are_refused_with_their_line() {
        let refusal = |row: &str| {
            let text = format!("file,item,domain,left,top,width,height\na.jpg,x,shop,,,,\n{row}\n");
            found(&text).unwrap_err()
        };
        for row in ["b.jpg,x,shop,1,2,3,", "b.jpg,x,shop,1,2,3,x", "b.jpg,x,shop,1,2,0,4", "b.jpg,x,shop,1,nan,3,4"] {
            let error = refusal(row);
            assert!(error.contains("line 3") && error.contains(&row[13..]), "{error}");
        }
        let error = refusal("b.jpg,x,Shop,,,,");
        assert!(error.contains("line 3") && error.contains("`Shop`"), "{error}");
        assert!(refusal(",x,shop,,,,").contains("line 3 has no file"));
    }

    #[test]
    fn strata_and_split_are_read_and_unknown_ones_refused_with_their_line() {
        let found = |row: &str| found(&format!("file,item,domain,view,occlusion,cropping,split\n{row}\n"));
        let image = found("a.jpg,x,consumer,side,0.3,light,val").unwrap().images.swap_remove(0);
        let known = Strata { view: Some(View::Side), occlusion: Some(Level::Heavy), cropping: Some(Level::Light) };
        assert_eq!((image.strata, image.split), (known, Some(Split::Val)));
        let image = found("a.jpg,x,consumer,,,,").unwrap().images.swap_remove(0);
        assert_eq!((image.strata, image.split), (Strata::default(), None));
        for (row, got) in [(",up,,,", "`up`"), (",,some,,", "`some`"), (",,,1.5,", "`1.5`"), (",,,,valid", "`valid`")] {
            let error = found(&format!("a.jpg,x,consumer{row}")).unwrap_err();
            assert!(error.contains("line 2") && error.contains(got) && error.contains("known are"), "{error}");
        }
    }

    #[test]
    fn rows_said_again_are_counted_and_contradictions_name_both_lines() {
        let head = "file,item,domain,left,top,width,height";
        let text =
            format!("{head}\na.jpg,x,shop,1,2,3,4\na.jpg,x,shop,1,2,3,4\na.jpg,y,shop,5,2,3,4\na.jpg,x,shop,1,2,3,4\n");
        let Found { images, warnings } = found(&text).unwrap();
        assert_eq!(images.len(), 2, "two garments in one image are two");
        assert_eq!(warnings, ["2 of 4 rows repeat an earlier one and are left out, the first is line 3"]);
        let error = found(&format!("{head}\na.jpg,x,shop,,,,\na.jpg,y,shop,,,,\n")).unwrap_err();
        assert!(error.contains("line 3 gives a.jpg the item `y`, line 2 gives it `x`"), "{error}");
        let error = found(&format!("{head}\na.jpg,x,shop,,,,\na.jpg,x,consumer,,,,\n")).unwrap_err();
        assert!(error.contains("the domain `consumer`, line 2 gives it `shop`"), "{error}");
    }

    #[test]
    fn an_item_in_two_splits_and_half_a_split_are_refused() {
        let refusal = |rows: &str| found(&format!("file,item,domain,split\n{rows}")).unwrap_err();
        let error = refusal("a.jpg,x,shop,train\nb.jpg,y,shop,val\nc.jpg,x,shop,val\n");
        assert!(error.contains("line 4 puts the item `x` into the split val, line 2 into train"), "{error}");
        let error = refusal("a.jpg,x,shop,train\nb.jpg,y,shop,\n");
        assert!(error.contains("line 3 has no split, line 2 has one"), "{error}");
        let error = refusal("a.jpg,x,shop,\nb.jpg,y,shop,test\n");
        assert!(error.contains("line 3 has a split, line 2 has none"), "{error}");
    }

    #[test]
    fn images_may_lie_beside_the_table_or_in_their_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annotations.csv");
        std::fs::write(&path, "file,item,domain\na.jpg,x,shop\n").unwrap();
        assert_eq!(read(&path, 0).unwrap().images[0].path, folder.path().join("a.jpg"));
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        std::fs::write(folder.path().join("photos/a.jpg"), b"").unwrap();
        assert_eq!(read(&path, 0).unwrap().images[0].path, folder.path().join("photos/a.jpg"));
    }
}
