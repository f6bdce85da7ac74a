//! Decides how the binary is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_optimised = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // Functions of the same code become one. It is an option of LLD, Rust's own linker on this platform.
    if is_optimised && (target("ARCH"), target("OS"), target("ENV")) == ("x86_64".into(), "linux".into(), "gnu".into())
    {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
