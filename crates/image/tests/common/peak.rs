//! By how much resident memory grows at its peak, as the kernel (Linux) counts it.

/// What `action` takes at its peak, in bytes, and what it returns. Only right in a process that has not yet freed
/// much: what the allocator keeps is not counted again.
pub fn of<T>(action: impl FnOnce() -> T) -> (u64, T) {
    // Starts the measure anew.
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let before = kilobytes("VmRSS:");
    let result = action();
    (kilobytes("VmHWM:").saturating_sub(before) << 10, result)
}

fn kilobytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a figure of the process");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}
