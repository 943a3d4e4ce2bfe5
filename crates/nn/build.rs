//! Run paths: libtorch is found beside the installed program, or where it was built against.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN");
    // `make install` puts libtorch's libraries into a folder of the extension's own.
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib/grnet");
    let Some(libtorch) = env::var_os("LIBTORCH") else { return };
    let lib = Path::new(&libtorch).join("lib");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    let cuda = lib.join("libtorch_cuda.so");
    println!("cargo:rerun-if-changed={}", cuda.display());
    println!("cargo:rustc-env=GRNET_CUDA={}", if cuda.exists() { "yes" } else { "no" });
    if cuda.exists() {
        // Nothing names a symbol of it: it registers its kernels when it is loaded, and the linker would leave it out.
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-L{},-ltorch_cuda,--as-needed", lib.display());
    }
}
