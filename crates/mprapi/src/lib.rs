//! The contract between Routing and Remote Access (RRAS) and a RAS administration DLL.
//!
//! - [`abi`]: the structures and callback types, re-exported from `windows-sys`. Nothing is copied by hand; the layout
//!   is tested field by field against C.
//! - [`contract`]: one table of every function, with its arguments, return type, requirement group and evidence. The
//!   host, the checker, the tests and the reference page are derived from it.
//! - [`requirements`]: which sets of functions a profile accepts.
#![forbid(unsafe_code)]

pub mod abi;
pub mod contract;
mod reference;
pub mod requirements;

pub use contract::{Function, FunctionId, FunctionSet};
pub use reference::reference_page;
pub use requirements::{Profile, Violation};
