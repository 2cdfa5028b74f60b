//! The contract between Routing and Remote Access (RRAS) and a RAS administration DLL.
//!
//! - [`abi`]: the structures and callback types, re-exported from `windows-sys`. Nothing is copied by hand; the layout
//!   is tested field by field against C.
//! - [`contract`]: one table of all functions, with their arguments, return types, requirement groups and evidence. The
//!   host, the checker, the tests and the reference page use it.
//! - [`guid`]: the GUID of a connection as text.
//! - [`layout`]: the structures as data: every field with its C type, offset and size.
//! - [`Projection`]: the negotiated addresses of a connection.
//! - [`requirements`]: the functions that each profile requires.
#![forbid(unsafe_code)]

pub mod abi;
pub mod contract;
pub mod guid;
pub mod layout;
mod projection;
mod reference;
pub mod requirements;

pub use contract::{Function, FunctionId, FunctionSet};
pub use projection::Projection;
pub use reference::{c_callbacks_table, reference_page};
pub use requirements::{Profile, Violation};
