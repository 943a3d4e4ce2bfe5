//! Processes as `/proc` shows them.

use std::fs;
use std::path::Path;

use grnet_cluster::process::is_alive;

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
