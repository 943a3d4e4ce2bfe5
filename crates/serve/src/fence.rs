//! The fence: what this process gives up before it looks at the first image, for itself, its threads and its children.
//!
//! Decoding images and running networks takes a processor, the program's libraries and one folder. An image that breaks
//! a decoder finds no more than that: not the server's data files, whose user this is, no shell, no connection to the
//! server. What a kernel lacks is left out, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

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
/// Devices that every process may use. In `/proc` a job gives itself a name and a score for the out-of-memory killer.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/proc"];
/// What a GPU's driver needs: its devices, memory that it shares, and its daemon.
const GPU: [&str; 4] = ["/dev/shm", "/dev/dri", "/run/nvidia-persistenced", "/run/nvidia-fabricmanager"];

/// System calls that no part of the engine makes: into other processes, around the fence, into the kernel's own
/// affairs.
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

/// Those of them under which this process does not stand: it stands in the server's data directory, and a rule for a
/// folder is one for all below it.
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

#[cfg(test)]
mod tests {
    use std::io::{Error, Result};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::process::Command;

    use super::*;

    /// Says to the test below, in a process of its own, which folder it stands in.
    const PROBE: &str = "GRNET_TEST_FENCE";

    /// What somebody behind the fence can do, one line each.
    fn probe(folder: &Path) -> Vec<(&'static str, bool)> {
        let tcp = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let listener = UnixListener::bind(folder.join("outside/socket"));
        let fence = raise(&folder.join("inside"), false);
        println!("fence {fence}");
        let copy = || fs::copy(folder.join("inside/file"), folder.join("inside/copy"));
        let own = || env::current_exe().and_then(|own| Command::new(own).arg("--list").output());
        let done = vec![
            ("read inside", fs::read(folder.join("inside/file")).is_ok()),
            ("write inside", copy().is_ok()),
            ("rename inside", fs::rename(folder.join("inside/copy"), folder.join("inside/moved")).is_ok()),
            ("bind inside", UnixListener::bind(folder.join("inside/socket")).is_ok()),
            ("start itself", own().is_ok_and(|output| output.status.success())),
            ("start a thread", std::thread::Builder::new().spawn(|| ()).is_ok()),
            ("read the machine's memory", fs::read("/proc/meminfo").is_ok()),
            ("read outside", fs::read(folder.join("outside/file")).is_ok()),
            ("list outside", fs::read_dir(folder.join("outside")).is_ok()),
            ("write outside", fs::write(folder.join("outside/file"), "x").is_ok()),
            ("remove outside", fs::remove_file(folder.join("outside/file")).is_ok()),
            ("read a system's file", fs::read("/etc/passwd").is_ok()),
            ("start a shell", Command::new("/bin/sh").args(["-c", "true"]).status().is_ok()),
            ("connect to a server's socket", UnixStream::connect(folder.join("outside/socket")).is_ok()),
            ("connect by TCP", tcp.and_then(TcpStream::connect).is_ok()),
            ("listen by TCP", TcpListener::bind("127.0.0.1:0").is_ok()),
            ("trace another process", read_memory_of(std::os::unix::process::parent_id())),
        ];
        drop(listener);
        done
    }

    fn read_memory_of(pid: u32) -> bool {
        fs::File::open(format!("/proc/{pid}/mem")).is_ok()
    }

    #[test]
    fn who_is_behind_it_has_the_folder_and_no_more() -> Result<()> {
        if let Some(folder) = env::var_os(PROBE) {
            for (what, can) in probe(Path::new(&folder)) {
                println!("probe {what}: {can}");
            }
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        for part in ["inside", "outside"] {
            fs::create_dir(folder.path().join(part))?;
            fs::write(folder.path().join(part).join("file"), "text")?;
        }
        // In a process of its own, standing in the folder as the engine stands in the data directory.
        let name = "fence::tests::who_is_behind_it_has_the_folder_and_no_more";
        let mut inside = Command::new(env::current_exe()?);
        inside.args([name, "--exact", "--nocapture"]).env(PROBE, folder.path()).current_dir(folder.path());
        let output = inside.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let fence =
            text.lines().find_map(|line| line.strip_prefix("fence ")).ok_or_else(|| Error::other(text.clone()))?;
        println!("{fence}");
        let can = |what: &str| text.contains(&format!("probe {what}: true"));
        let cannot = |what: &str| text.contains(&format!("probe {what}: false"));
        for what in ["read inside", "write inside", "rename inside", "bind inside", "start itself", "start a thread"] {
            assert!(can(what), "{what}: {text}");
        }
        assert!(can("read the machine's memory"), "{text}");
        assert!(cannot("connect to a server's socket"), "{text}");
        if fence.contains("files are not") {
            println!("not tried here: the kernel has no Landlock");
            return Ok(());
        }
        for what in [
            "read outside",
            "list outside",
            "write outside",
            "remove outside",
            "read a system's file",
            "start a shell",
            "connect by TCP",
            "listen by TCP",
            "trace another process",
        ] {
            assert!(cannot(what), "{what}: {text}");
        }
        Ok(())
    }
}
