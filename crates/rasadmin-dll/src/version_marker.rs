//! The marker by which the command recognises the product's file and its version without loading it.

/// The marker that `rasadmin_setup::version_marker` searches: a name, the version, a line feed.
static MARKER: &str = concat!("rasadmin-product/", env!("CARGO_PKG_VERSION"), "\n");

/// Returns the version. `black_box` keeps the compiler from removing the marker from the file.
pub fn version() -> &'static str {
    std::hint::black_box(MARKER).trim_end().rsplit('/').next().unwrap_or_default()
}
