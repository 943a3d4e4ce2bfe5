//! A server that overwrites memory when it is freed: whoever reads it then is found at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use grnet_cluster::Installation;

/// The library that a server preloads for it, removed when dropped.
#[derive(Debug)]
pub struct Clobber {
    folder: PathBuf,
}

impl Clobber {
    /// Compiles it against a server's headers.
    ///
    /// # Panics
    /// There is no C compiler, or the server has no headers.
    pub fn compile(installation: &Installation) -> Self {
        let folder = std::env::temp_dir().join(format!("grnet-clobber-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        // The server runs as another user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let clobber = Self { folder };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clobber/clobber.c");
        let headers =
            Command::new(installation.pg_config()).arg("--includedir-server").output().expect("pg_config runs");
        let headers = String::from_utf8(headers.stdout).expect("a path");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-I", headers.trim(), "-o"])
            .args([&clobber.library(), &source])
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        clobber
    }

    /// Its path.
    pub fn library(&self) -> PathBuf {
        self.folder.join("clobber.so")
    }
}

impl Drop for Clobber {
    fn drop(&mut self) {
        // A folder of the system's for temporary files: what cannot be removed goes with those.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
