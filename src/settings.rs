//! The settings `grnet.*`: one table of names, texts, limits and who may change them.
//!
//! What names a program, a device or memory is the superuser's; a user chooses the model and how long he waits.

use std::ffi::CString;
use std::time::Duration;

use grnet_features::value::Dtype;
use grnet_score::scorer::Precision;

use crate::pg::encoding;
use crate::pg::guc::{self, FeatureDtype, ScorePrecision};
use crate::pg::guc_renamed;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static MODEL: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"base"));
static ENABLE_BATCH_SCORING: GucSetting<bool> = GucSetting::<bool>::new(true);
static SHORTLIST: GucSetting<i32> = GucSetting::<i32>::new(0);
static SCORE_PRECISION: GucSetting<ScorePrecision> = GucSetting::<ScorePrecision>::new(ScorePrecision::F32);
static FEATURE_DTYPE: GucSetting<FeatureDtype> = GucSetting::<FeatureDtype>::new(FeatureDtype::F16);
static EMBED_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static MAX_IMAGE_BYTES: GucSetting<i32> = GucSetting::<i32>::new(32 << 20);
static MAX_IMAGE_PIXELS: GucSetting<i32> = GucSetting::<i32>::new(64_000_000);
static ENGINE_PROGRAM: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static DEVICE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"auto"));
static PRECISION: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"f32"));
static THREADS: GucSetting<i32> = GucSetting::<i32>::new(0);
static MAX_BATCH: GucSetting<i32> = GucSetting::<i32>::new(16);
static MAX_BATCH_WAIT: GucSetting<i32> = GucSetting::<i32>::new(5);
static MAX_QUEUE: GucSetting<i32> = GucSetting::<i32>::new(256);
static ENGINE_START_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static ENGINE_FENCE: GucSetting<bool> = GucSetting::<bool>::new(true);
static MAX_SPOOL_SIZE: GucSetting<i32> = GucSetting::<i32>::new(16 << 10);
static DEBUG_FAIL_NTH: GucSetting<i32> = GucSetting::<i32>::new(0);

/// Registers every setting. Called once, when the library is loaded.
pub fn register() {
    let string = GucRegistry::define_string_guc;
    let int = GucRegistry::define_int_guc;
    let none = GucFlags::default();
    string(
        c"grnet.model",
        c"Sets the model that images are embedded with where a call names none.",
        c"A name in the table grnet.model.",
        &MODEL,
        GucContext::Userset,
        none,
    );
    GucRegistry::define_bool_guc(
        c"grnet.enable_batch_scoring",
        c"Lets the planner score the rows of ORDER BY in batches.",
        c"Off: a score is computed as any other function, row by row.",
        &ENABLE_BATCH_SCORING,
        GucContext::Userset,
        GucFlags::EXPLAIN,
    );
    int(
        c"grnet.shortlist",
        c"Sets how many rows of ORDER BY ... LIMIT are ranked by the graph: the nearest by the global vector.",
        c"0 to 1,000,000; 0 ranks all. Needs an index of grnet_global(features).",
        &SHORTLIST,
        0,
        1_000_000,
        GucContext::Userset,
        GucFlags::EXPLAIN,
    );
    GucRegistry::define_enum_guc(
        c"grnet.score_precision",
        c"Sets how the rows of ORDER BY are scored.",
        c"f32, or i16: 16-bit integers in the large products, faster, with scores that differ in the third or fourth digit. grnet_score and <-> that rank nothing are always in f32.",
        &SCORE_PRECISION,
        GucContext::Userset,
        GucFlags::EXPLAIN,
    );
    GucRegistry::define_enum_guc(
        c"grnet.feature_dtype",
        c"Sets how the numbers of new features are stored.",
        c"f16, or i8: half the bytes. Features that are there stay as they are.",
        &FEATURE_DTYPE,
        GucContext::Userset,
        none,
    );
    int(
        c"grnet.embed_timeout",
        c"Sets how long a call waits for the engine.",
        c"From 10 ms to 1 hour; the engine's start counts.",
        &EMBED_TIMEOUT,
        10,
        3_600_000,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    int(
        c"grnet.max_image_bytes",
        c"Sets the largest image that is accepted, in bytes.",
        c"From 1 kB to 256 MB. Checked before an image is sent to the engine.",
        &MAX_IMAGE_BYTES,
        1 << 10,
        256 << 20,
        GucContext::Suset,
        GucFlags::UNIT_BYTE,
    );
    int(
        c"grnet.max_image_pixels",
        c"Sets the largest image that is accepted, in pixels.",
        c"From 1,000 to 268,435,456. Checked against an image's header, before anything is decoded.",
        &MAX_IMAGE_PIXELS,
        1_000,
        1 << 28,
        GucContext::Suset,
        none,
    );
    string(
        c"grnet.engine_program",
        c"Sets the engine's program.",
        c"Empty: grnet/grnet-engine in the server's library folder, where make install puts it.",
        &ENGINE_PROGRAM,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY,
    );
    int(
        c"grnet.engine_start_timeout",
        c"Sets how long the engine may take to get ready before it is killed.",
        c"From 100 ms to 1 hour.",
        &ENGINE_START_TIMEOUT,
        100,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_bool_guc(
        c"grnet.engine_fence",
        c"Has the engine give up files, connections and system calls that it does not need.",
        c"As far as the kernel can. A change restarts the engine.",
        &ENGINE_FENCE,
        GucContext::Sighup,
        none,
    );
    guc::device(
        c"grnet.engine_device",
        c"Sets the device that the engine computes on.",
        c"auto, cpu, or cuda:N. A change restarts the engine.",
        &DEVICE,
    );
    guc::precision(
        c"grnet.engine_precision",
        c"Sets the precision that the engine computes in.",
        c"f32 or bf16. A change restarts the engine.",
        &PRECISION,
    );
    int(
        c"grnet.engine_threads",
        c"Sets the number of threads that decode images and compute on the CPU.",
        c"0 to 256; 0 is the number of the machine's cores. A change restarts the engine.",
        &THREADS,
        0,
        256,
        GucContext::Sighup,
        none,
    );
    int(
        c"grnet.engine_max_batch",
        c"Sets the largest number of images that go through the model together.",
        c"1 to 1024. A change restarts the engine.",
        &MAX_BATCH,
        1,
        1024,
        GucContext::Sighup,
        none,
    );
    int(
        c"grnet.engine_max_batch_wait",
        c"Sets how long an image waits for others to share its batch.",
        c"0 to 1000 ms. A change restarts the engine.",
        &MAX_BATCH_WAIT,
        0,
        1000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    int(
        c"grnet.engine_max_queue",
        c"Sets the number of images that one session may have waiting in the engine.",
        c"1 to 100,000; a single request may have more. Sessions take turns. A change restarts the engine.",
        &MAX_QUEUE,
        1,
        100_000,
        GucContext::Sighup,
        none,
    );
    int(
        c"grnet.engine_max_spool_size",
        c"Sets how much disk the images of a training or an evaluation may take.",
        c"From 1 MB to 2 TB, in the engine's folder of the data directory. A change restarts the engine.",
        &MAX_SPOOL_SIZE,
        1,
        2 << 20,
        GucContext::Sighup,
        GucFlags::UNIT_MB,
    );
    int(
        c"grnet.debug_fail_nth",
        c"Makes the n-th operation of this session on the engine's socket fail, for tests.",
        c"0 is off.",
        &DEBUG_FAIL_NTH,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::NO_SHOW_ALL,
    );
    guc_renamed::register();
    reserve_prefix();
}

/// Refuses other names under `grnet.`, so that a misspelt setting is an error and not a silent nothing.
#[allow(unsafe_code, reason = "one call without arguments of ours")]
fn reserve_prefix() {
    // SAFETY: the prefix is a C string that the server copies; called while the library is loaded, as it must be.
    unsafe { pgrx::pg_sys::MarkGUCPrefixReserved(c"grnet".as_ptr()) }
}

fn string(setting: &GucSetting<Option<CString>>) -> String {
    setting.get().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `grnet.model`.
pub fn model() -> String {
    MODEL.get().map(|name| encoding::from_server(name.to_bytes())).unwrap_or_default()
}

/// `grnet.enable_batch_scoring`.
pub fn enable_batch_scoring() -> bool {
    ENABLE_BATCH_SCORING.get()
}

/// `grnet.shortlist`: rows that the graph ranks; 0 is all.
pub fn shortlist() -> i32 {
    SHORTLIST.get()
}

/// `grnet.score_precision`.
pub fn score_precision() -> Precision {
    match SCORE_PRECISION.get() {
        ScorePrecision::F32 => Precision::F32,
        ScorePrecision::I16 => Precision::I16,
    }
}

/// `grnet.feature_dtype`.
pub fn feature_dtype() -> Dtype {
    match FEATURE_DTYPE.get() {
        FeatureDtype::F16 => Dtype::F16,
        FeatureDtype::I8 => Dtype::I8,
    }
}

/// `grnet.embed_timeout`.
pub fn embed_timeout() -> Duration {
    Duration::from_millis(EMBED_TIMEOUT.get().max(0) as u64)
}

/// `grnet.max_image_bytes`.
pub fn max_image_bytes() -> usize {
    MAX_IMAGE_BYTES.get().max(0) as usize
}

/// `grnet.max_image_pixels`.
pub fn max_image_pixels() -> u64 {
    MAX_IMAGE_PIXELS.get().max(0) as u64
}

/// `grnet.engine_start_timeout`.
pub fn engine_start_timeout() -> Duration {
    Duration::from_millis(ENGINE_START_TIMEOUT.get().max(0) as u64)
}

/// `grnet.debug_fail_nth`.
pub fn debug_fail_nth() -> u64 {
    DEBUG_FAIL_NTH.get().max(0) as u64
}

/// What the engine is started with: its program, and its arguments. A difference between two readings means a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineCommand {
    /// Path of the program; empty is the installed one.
    pub program: String,
    /// Arguments after `serve --socket PATH`.
    pub arguments: Vec<String>,
}

/// The engine's command as the settings say it now.
pub fn engine_command() -> EngineCommand {
    let mut arguments = Vec::new();
    for (name, value) in [
        ("--device", string(&DEVICE)),
        ("--precision", string(&PRECISION)),
        ("--threads", THREADS.get().to_string()),
        ("--max-batch", MAX_BATCH.get().to_string()),
        ("--max-batch-wait-ms", MAX_BATCH_WAIT.get().to_string()),
        ("--max-queue", MAX_QUEUE.get().to_string()),
        ("--max-spool-mb", MAX_SPOOL_SIZE.get().to_string()),
    ] {
        if name == "--threads" && value == "0" {
            continue;
        }
        arguments.extend([name.to_owned(), value]);
    }
    if ENGINE_FENCE.get() {
        arguments.push("--fence".to_owned());
    }
    EngineCommand { program: string(&ENGINE_PROGRAM), arguments }
}
