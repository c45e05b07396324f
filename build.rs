//! Links GCC's unwinder into the Linux binary: loading `libgcc_s` at every start costs more than signing a token.

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through variables")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // Whole, so that its symbols are there before the linker meets the shared library, which it then leaves out.
        println!("cargo:rustc-link-arg-bins=-Wl,--push-state,-Bstatic,--whole-archive,-lgcc_eh,--pop-state");
    }
}
