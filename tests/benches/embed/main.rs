//! Our half of `bench/embed` (`--serve f32` or `--serve bf16`, the setting `grnet.engine_precision`): reads commands, a line each, and answers each with a line of JSON. bench/embed.py drives it,
//! so that its rounds and those of the pipelines in Python alternate.
//!
//! | command | answer |
//! |---|---|
//! | `images SET FOLDER` | puts a folder's images into a table; `{"images": ..}` |
//! | `features SET COUNT` | `{"features": [[..], ..]}`: the regions of the first images, in the order of their names |
//! | `time SET WAY SESSIONS SECONDS` | images a second from a table to a table with features, and where the time went; WAY is `trigger` or `array` |
//! | `single SET COUNT` | `{"ms": [..]}`: what one image alone takes in a session that has asked before |

mod load;

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use grnet_tests::server::Server;
use postgres::Client;
use serde_json::{Value, json};

use load::Way;

/// Whatever fails here is told to the driver.
pub type Failure = Box<dyn std::error::Error>;

const TABLES: &str = "CREATE TABLE image (of text, id integer, image bytea); \
                      ALTER TABLE image ALTER image SET STORAGE EXTERNAL; \
                      CREATE TABLE item (image bytea, features grnet_features); \
                      ALTER TABLE item ALTER image SET STORAGE EXTERNAL; \
                      CREATE TRIGGER features BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
                      EXECUTE FUNCTION grnet_features_trigger('image', 'features'); \
                      SELECT grnet_install_model('base'); \
                      ALTER DATABASE postgres SET grnet.model = 'base'";

fn main() -> Result<(), Failure> {
    // `cargo test` and `cargo bench` start it with arguments of their own.
    let mut arguments = std::env::args().skip_while(|argument| argument != "--serve");
    let (Some(_), Some(precision)) = (arguments.next(), arguments.next()) else {
        println!("run bench/embed");
        return Ok(());
    };
    let server = Server::build(|builder| builder.preload(true).setting("grnet.engine_precision", precision));
    server.session().batch_execute(TABLES)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = answer(&words, &server).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn answer(words: &[&str], server: &Server) -> Result<Value, Failure> {
    match *words {
        ["images", set, ref folder @ ..] => images(&mut server.session(), set, &folder.join(" ")),
        ["features", set, count] => features(&mut server.session(), set, count.parse()?),
        ["time", set, way, sessions, seconds] => {
            let seconds = Duration::from_secs_f64(seconds.parse()?);
            load::time(server, set, Way::named(way)?, sessions.parse()?, seconds)
        }
        ["single", set, count] => single(&mut server.session(), set, count.parse()?),
        _ => Err(format!("unknown command {words:?}").into()),
    }
}

/// Images in the order of their files' names.
fn images(client: &mut Client, set: &str, folder: &str) -> Result<Value, Failure> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    files.sort_unstable();
    for (id, file) in files.iter().enumerate() {
        let row = "INSERT INTO image VALUES ($1, $2, $3)";
        client.execute(row, &[&set, &i32::try_from(id)?, &std::fs::read(file)?])?;
    }
    Ok(json!({ "images": files.len() }))
}

fn features(client: &mut Client, set: &str, count: i32) -> Result<Value, Failure> {
    let sql = "SELECT array_agg(number ORDER BY scale, row, col, place) FROM image, grnet_regions(grnet_embed(image)), \
               unnest(value) WITH ORDINALITY AS part (number, place) WHERE of = $1 AND id < $2 GROUP BY id ORDER BY id";
    let rows = client.query(sql, &[&set, &count])?;
    let features: Vec<Vec<f32>> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(json!({ "features": features }))
}

/// Each image a call of its own: sent, decoded, embedded, and its features received.
fn single(client: &mut Client, set: &str, count: usize) -> Result<Value, Failure> {
    let rows = client.query("SELECT image FROM image WHERE of = $1 ORDER BY id", &[&set])?;
    let images: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let statement = client.prepare("SELECT grnet_features_send(grnet_embed($1))")?;
    let mut ms = Vec::with_capacity(count);
    // The first call finds the engine, and a model that this session has not looked up.
    for image in images.iter().cycle().take(count + 1) {
        let start = Instant::now();
        let value: Vec<u8> = client.query_one(&statement, &[image])?.try_get(0)?;
        ms.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(!value.is_empty(), "features have bytes");
    }
    ms.remove(0);
    Ok(json!({ "ms": ms }))
}
