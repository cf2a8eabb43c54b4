//! Compiles the crate again when a file of the SDKs or of the contract comes, goes or changes.

fn main() {
    println!("cargo::rerun-if-changed=../../plugin-sdk");
    println!("cargo::rerun-if-changed=../../wit");
}
