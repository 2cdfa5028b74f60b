//! The built DLL, for the tests that load it.

use std::path::PathBuf;

/// The DLL beside this test's executable: target/PROFILE/deps/TEST, target/PROFILE/DLL.
pub fn built() -> PathBuf {
    let name = format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace`", path.display());
    path
}
