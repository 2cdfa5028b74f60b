//! What a library's file contains, read without loading it.

mod elf;
mod pe;
mod read;

pub use read::is_signed;

use mprapi::{FunctionId, FunctionSet};
use std::fmt;

/// The file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Windows.
    Pe,
    /// Linux: what the tests of this project run natively.
    Elf,
    /// Not one that the loader knows: a text, an empty or a truncated file.
    Other,
}

/// Where an export leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To code of this image.
    Code,
    /// To a section that is not executable. The text is the section's name.
    Data(String),
    /// To an address outside the image.
    Outside,
    /// To a function of another DLL, or of this one under another name.
    Forward(Forward),
}

/// What an export is forwarded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The DLL as the export names it: usually without `.dll`.
    pub library: String,
    /// The function's name, or `#` and its ordinal.
    pub function: String,
}

impl Forward {
    /// The DLL's file name. The loader appends `.dll` to a name without an extension.
    pub fn file_name(&self) -> String {
        if self.library.contains('.') { self.library.clone() } else { format!("{}.dll", self.library) }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.library, self.function)
    }
}

/// An export with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name, with control characters escaped.
    pub name: String,
    /// Where it leads.
    pub target: Target,
}

/// How an image depends on the .NET runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// It has no native code: an assembly, as the compilers of C# and Visual Basic make it.
    IlOnly {
        /// Whether it demands a 32-bit process. The loader makes one that does not fit for any machine.
        only_32_bit: bool,
    },
    /// It has native code and code for the .NET runtime: C++/CLI, for example.
    Mixed,
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
    /// Whether a section is executable.
    pub has_code: bool,
    /// Whether it has start-up code.
    pub has_entry_point: bool,
    /// How it depends on the .NET runtime, if it does.
    pub managed: Option<Managed>,
    /// Whether Windows loads it only if its signature is valid (FORCE_INTEGRITY).
    pub demands_signature: bool,
    /// Whether the file carries a signature (Authenticode). Nobody has verified it.
    pub signed: bool,
    /// Why the loader does not accept it as an image, if it does not. Such a file has nothing else.
    pub no_image: Option<NoImage>,
}

/// A file that the loader does not accept as an image (error 193).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoImage {
    /// What the file is instead.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Why a file cannot be read as an image.
enum Unreadable {
    /// The loader does not accept it as an image.
    NoImage(String),
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
    /// An image of this format, about which nothing else is known yet.
    fn new(format: Format) -> Self {
        Self {
            format,
            bits: 0,
            machine: String::new(),
            library: false,
            exports: Vec::new(),
            unnamed_exports: 0,
            imports: Vec::new(),
            short_relocations: 0,
            placed_anywhere: false,
            built_with_sdk: false,
            has_code: false,
            has_entry_point: false,
            managed: None,
            demands_signature: false,
            signed: false,
            no_image: None,
        }
    }

    /// Whether the loader of an x86-64 process takes the file: an image for x86-64, or a .NET assembly for any machine. In
    /// tests, a native library of this machine takes its place.
    pub fn right_machine(&self) -> bool {
        match self.format {
            // Windows loads a program, too, in its own way. The loader of Linux does not.
            Format::Elf => self.library,
            Format::Pe => {
                self.machine == "x86-64" || matches!(self.managed, Some(Managed::IlOnly { only_32_bit: false }))
            }
            Format::Other => false,
        }
    }

    /// Whether this process can load it.
    pub fn loads_here(&self) -> bool {
        let here = if cfg!(windows) { Format::Pe } else { Format::Elf };
        self.format == here && self.right_machine()
    }

    /// Whether it is a program that Windows loads as if it were a DLL.
    pub fn is_program(&self) -> bool {
        self.format != Format::Other && !self.library
    }

    /// The functions of the contract that it lists as exports, under their right names. Whether Windows finds them is
    /// another question.
    pub fn functions(&self) -> FunctionSet {
        self.contract().map(|(id, _)| id).collect()
    }

    /// The functions of the contract that it lists as exports, and where each leads.
    pub fn contract(&self) -> impl Iterator<Item = (FunctionId, &Target)> {
        self.exports.iter().filter_map(|e| Some((FunctionId::from_export(&e.name)?, &e.target)))
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
