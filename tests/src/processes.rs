//! Processes as `/proc` shows them.

use std::fs;
use std::path::Path;
use std::process::Command;

use grnet_cluster::process::is_alive;
use grnet_cluster::run_as_server_user;

/// The engines that work for a data directory: processes of that name which stand in it.
pub fn engines_of(data_dir: &Path) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| {
        let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let place = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        program.to_string_lossy().contains("grnet-engine") && place == data_dir && is_alive(pid)
    })
    .collect()
}

/// A figure of `/proc/PID/status` in kB, such as `VmRSS`.
///
/// # Panics
/// There is no such process or line.
pub fn kilobytes(pid: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line =
        status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':')).expect("the figure is there");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}

/// Limits a process's address space to that many kB more than it has now; `None` takes the limit away again.
///
/// # Panics
/// `prlimit` (of Debian's util-linux) is not there, or there is no such process.
pub fn limit_memory(pid: u32, more: Option<u64>) {
    let bytes = more.map_or("unlimited".to_owned(), |kb| ((kilobytes(pid, "VmSize") + kb) * 1024).to_string());
    // As the process's own user: in a container root may lack the right to change another one's limits.
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &pid.to_string(), &format!("--as={bytes}:")]).current_dir("/");
    let done = run_as_server_user(prlimit).expect("a user for servers").status().expect("prlimit runs");
    assert!(done.success(), "the limit of process {pid} was not changed");
}

/// The files that a process has mapped.
///
/// # Panics
/// There is no such process.
pub fn mapped_files(pid: u32) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let mut files: Vec<String> = maps.lines().filter_map(|line| Some(line[line.find('/')?..].to_owned())).collect();
    files.sort_unstable();
    files.dedup();
    files
}
