//! The fence: what this process gives up before it looks at the first photo, for itself, its threads and its children.
//!
//! Decoding photos and running networks takes a processor, the program's libraries and one folder. A photo that breaks a
//! decoder finds no more than that: not the server's data files, whose user this is, no shell, no connection to the server.
//! What a kernel lacks is left out, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// Accesses of this version are what there is to give up; older kernels know fewer.
const KNOWN: ABI = ABI::V6;

/// Where libraries, their data and the loader's lists lie, beside the folders of what is loaded already.
const LIBRARIES: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/cuda", "/usr/share/zoneinfo"];
/// Files that the loader, the clock and the driver read.
const FILES: [&str; 5] = ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/nvidia", "/sys"];
/// Devices that every process may use. In `/proc` a study gives itself a name and a score for the out-of-memory killer.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/proc"];
/// What a GPU's driver needs: its devices, memory that it shares, and its daemon.
const GPU: [&str; 4] = ["/dev/shm", "/dev/dri", "/run/nvidia-persistenced", "/run/nvidia-fabricmanager"];

/// System calls that no part of the engine makes: into other processes, around the fence, into the kernel's own affairs.
const CALLS: [i64; 29] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
];
/// And one that a GPU's driver makes: without it the server's own socket, which trusts this user, is out of reach.
const CONNECT: i64 = libc::SYS_connect;

/// Puts up the fence around the calling thread and all that it starts; call it while there is no other. `folder` stays
/// writable. Gives what is fenced off, in words.
pub fn raise(folder: &Path, gpu: bool) -> String {
    let files = files(folder, gpu).unwrap_or_else(|error| format!("files are not ({error})"));
    let calls = match calls(gpu) {
        Ok(count) => format!("{count} system calls"),
        Err(error) => format!("system calls are not ({error})"),
    };
    format!("{files}, {calls}")
}

/// Whether a GPU's driver is here.
pub fn gpu() -> bool {
    Path::new("/dev/nvidiactl").exists()
}

/// Files, TCP and signals to others, by Landlock.
fn files(folder: &Path, gpu: bool) -> Result<String, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::WriteFile | AccessFs::IoctlDev;
    let mut devices: Vec<PathBuf> = DEVICES.iter().map(PathBuf::from).collect();
    let mut share = Vec::new();
    if gpu {
        devices.extend(nvidia());
        share.extend(GPU.iter().map(PathBuf::from));
    }
    let all = AccessFs::from_all(KNOWN);
    let status = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(outside(libraries()), read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(env::current_exe(), read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(FILES, read))?
        .add_rules(path_beneath_rules(devices, write))?
        .add_rules(path_beneath_rules(share, all & !BitFlags::from(AccessFs::Execute)))?
        .add_rules(path_beneath_rules([folder], all & !BitFlags::from(AccessFs::Execute)))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "files, TCP, signals".to_owned(),
        RulesetStatus::PartiallyEnforced => "files (as far as this kernel can)".to_owned(),
        RulesetStatus::NotEnforced => "files are not (this kernel has no Landlock)".to_owned(),
    })
}

/// The folders of libraries: usual ones, those that are loaded now, and those that the environment names.
fn libraries() -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = LIBRARIES.iter().map(PathBuf::from).collect();
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let loaded = maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
    folders
        .extend(loaded.filter(|path| path.to_string_lossy().contains(".so")).filter_map(Path::parent).map(Into::into));
    let named = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    folders.extend(env::split_paths(&named).filter(|path| path.is_absolute()));
    folders
}

/// Those of them under which this process does not stand: it stands in the server's data directory, and a rule for a folder
/// is one for all below it.
fn outside(folders: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let here = env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    let above = |folder: &PathBuf| fs::canonicalize(folder).is_ok_and(|folder| here.starts_with(folder));
    folders.into_iter().filter(|folder| !above(folder)).collect()
}

/// The devices of NVIDIA's driver.
fn nvidia() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("nvidia"))
        .map(|entry| entry.path())
        .collect()
}

/// System calls, by seccomp: they fail with EPERM.
fn calls(gpu: bool) -> Result<usize, seccompiler::Error> {
    let all = CALLS.into_iter().chain((!gpu).then_some(CONNECT));
    let rules: BTreeMap<i64, _> = all.map(|call| (call, Vec::new())).collect();
    let count = rules.len();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch: TargetArch = env::consts::ARCH.try_into()?;
    let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()?;
    apply_filter(&program)?;
    Ok(count)
}
