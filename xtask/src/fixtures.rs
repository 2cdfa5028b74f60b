//! The admin DLLs in C: fixtures/fixtures.list says which, and how each is compiled.
use crate::Result;
use std::path::PathBuf;
pub fn build() -> Result<PathBuf> {
    Err("not yet".into())
}
pub fn layout() -> Result {
    Err("not yet".into())
}
