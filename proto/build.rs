//! Compiles every .proto file under `sampan/` with protox, so that no system `protoc` is needed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use protox::prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=sampan");
    let mut files = Vec::new();
    collect(Path::new("sampan"), &mut files)?;
    // The order of directory entries differs between machines; the generated code must not.
    files.sort();
    let descriptors = protox::compile(&files, ["."])?;
    let target = PathBuf::from(env::var("OUT_DIR")?).join("sampan_descriptor.bin");
    fs::write(target, descriptors.encode_to_vec())?;
    // Rare and large: without the box every operation would be as large as an estimate.
    tonic_prost_build::configure()
        .boxed(".sampan.operation.v1.CopyResult.estimate")
        .boxed(".sampan.operation.v1.ExportResult.first_estimate")
        .boxed(".sampan.operation.v1.ExportResult.estimate")
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
