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
        // leaves out.
        println!(
            "cargo:rustc-link-arg-bins=-Wl,--push-state,-Bstatic,--whole-archive,-lgcc_eh,--pop-state"
        );
        // A fixed address, as Go's binaries have on Linux: 12,000 pointers need not be corrected at
        // every start. Libraries, heap and stack stay at random addresses, and the memory errors
        // that those guard against can only be in a dependency: none of our own code is unsafe.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
