//! What a library's file contains, read without loading it.

mod elf;
mod pe;
mod read;

use mprapi::{FunctionId, FunctionSet};

/// The file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Windows.
    Pe,
    /// Linux: what the tests of this project run natively.
    Elf,
}

/// An export with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name, with control characters escaped.
    pub name: String,
    /// The function that it is forwarded to: `OTHER.Function`.
    pub forward: Option<String>,
}

/// The imports from one library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The library's file name. Empty for ELF functions, whose library is found at load time.
    pub library: String,
    /// The functions imported by name.
    pub functions: Vec<String>,
    /// Whether the library is loaded at the first call, not together with the DLL.
    pub delayed: bool,
}

/// The contents of a library's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its format.
    pub format: Format,
    /// 32 or 64.
    pub bits: u8,
    /// The machine that it is built for: `x86-64`.
    pub machine: String,
    /// Whether it is a library, not a program.
    pub library: bool,
    /// The exports with names.
    pub exports: Vec<Export>,
    /// The number of exports without a name.
    pub unnamed_exports: usize,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The number of 32-bit values that the loader changes when it moves a 64-bit Windows image. None of them can hold an
    /// address.
    pub short_relocations: usize,
    /// Whether Windows loads the image at any address (DYNAMIC_BASE), even if its preferred base is free.
    pub placed_anywhere: bool,
    /// Whether it is built with rasadmin-sdk: its bytes mention that crate.
    pub built_with_sdk: bool,
}

/// Why a file cannot be read as an image.
enum Unreadable {
    /// It is shorter than its own headers say.
    Truncated,
    /// Its contents are not valid.
    Damaged(String),
    /// It is an ELF library for a machine other than this one.
    OtherMachine(String),
}

impl From<object::Error> for Unreadable {
    fn from(error: object::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Image {
    /// Whether RRAS could load such a file: a 64-bit DLL for x86-64. In tests, a native library of this machine takes its
    /// place.
    pub fn right_machine(&self) -> bool {
        self.library && (self.format == Format::Elf || self.machine == "x86-64")
    }

    /// Whether this process can load it.
    pub fn loads_here(&self) -> bool {
        let here = if cfg!(windows) { Format::Pe } else { Format::Elf };
        self.format == here && self.right_machine()
    }

    /// The functions of the contract that it exports under their right names.
    pub fn functions(&self) -> FunctionSet {
        self.exports.iter().filter_map(|e| FunctionId::from_export(&e.name)).collect()
    }
}

/// Whether the range is within the file.
fn within(bytes: &[u8], offset: u64, size: u64) -> bool {
    offset.checked_add(size).is_some_and(|end| end <= bytes.len() as u64)
}

/// A name from the file, safe to print.
fn text(bytes: &[u8]) -> String {
    rasadmin_text::printable(&String::from_utf8_lossy(bytes)).into_owned()
}

/// Whether the bytes mention rasadmin-sdk, as panic messages do in the paths of their source files.
fn mentions_sdk(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"rasadmin-sdk";
    bytes.windows(NAME.len()).any(|window| window == NAME)
}
