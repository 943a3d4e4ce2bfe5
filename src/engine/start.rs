//! How the engine is started: its program, its environment, and what it may not become.

use std::process::{Command, Stdio};

use super::run_folder;
use crate::pg::process;
use crate::settings::EngineCommand;

/// Variables that the engine gets from the server: where libraries lie, which GPU is meant, how threads and the kernel are
/// chosen, what time and language it is, and what tests say. Nothing else: the server's environment may hold passwords and
/// keys, and one that loads code (`LD_PRELOAD`, `LD_AUDIT`) has no business in a process that decodes strangers' images.
pub const PASSED_ON: [&str; 20] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_MODULE_LOADING",
    "CUDA_CACHE_DISABLE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "MALLOC_ARENA_MAX",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "RUST_BACKTRACE",
    "GRNET_KERNEL",
    "GRNET_FAIL_NTH",
];

/// The command that starts the engine; its path for people, and the command.
pub fn command(settings: &EngineCommand) -> (String, Command) {
    let program = if settings.program.is_empty() {
        process::library_dir().join("grnet").join("grnet-engine")
    } else {
        settings.program.clone().into()
    };
    let mut command = Command::new(&program);
    command.arg("serve").args(["--socket", run_folder::SOCKET, "--parent-pipe"]).args(&settings.arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env_clear();
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    // OpenMP's threads wait asleep: awake, on busy cores, they cost more than they do (0.4 images/s instead of 62).
    command.env("OMP_WAIT_POLICY", "PASSIVE");
    process::bind_to_this_process(&mut command);
    (program.display().to_string(), command)
}
