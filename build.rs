//! Makes the Linux binary start faster: in the millisecond that a cached token takes, every
//! relocation counts.

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through variables"
)]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // GCC's unwinder, because loading `libgcc_s` costs more than signing a token. Whole, so
        // that its symbols are there before the linker meets the shared library, which it then
        // leaves out. zig, which links the releases, has a static one and does not know these words.
        let linker = std::env::var("RUSTC_LINKER").unwrap_or_default();
        if !linker.contains("zigcc") {
            println!(
                "cargo:rustc-link-arg-bins=-Wl,--push-state,-Bstatic,--whole-archive,-lgcc_eh,\
                 --pop-state"
            );
        }
        // A fixed address, as Go's binaries have on Linux: 12,000 pointers in the program need not
        // be corrected at every start, nor the 46 pages that they are on be
        // copied: that is 0.1 ms of the 1.1 ms in which a cached token is printed.
        //
        // What is given up: an attacker who can already overwrite memory of the process knows where
        // the program's own code is. The addresses of libraries, heap and stack stay random. Such
        // an error could only be in a dependency: the compiler refuses unsafe code of pgcred's own,
        // except where a file says that it expects it (`sys/libm.rs`: one function, no pointers).
        // And the process lives for milliseconds, and reads the user's own files and the answers of
        // AWS.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
