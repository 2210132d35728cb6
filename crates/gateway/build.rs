//! Makes sure that the folder of the built web page is there, so that it can be embedded (empty, if nothing was
//! built), and that building the page rebuilds this crate.

use std::path::Path;

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        // A read-only checkout: the page will say that it is not built.
        println!("cargo:warning=web/dist can't be made: {error}");
    }
    println!("cargo:rerun-if-changed={}", dist.display());
}
