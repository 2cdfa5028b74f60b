//! Checks whether Routing and Remote Access (RRAS) would start with an admin DLL, in whatever language it is written.
//!
//! ```no_run
//! use rasadmin_check::{Options, check};
//!
//! let report = check("vendor.dll".as_ref(), &Options::default())?;
//! print!("{}", report.render(100, false));
//! std::process::exit(report.exit_code());
//! # #[allow(unreachable_code)]
//! # Ok::<(), rasadmin_check::CannotCheck>(())
//! ```
//!
//! Every check is a variant of [`Check`]. Static checks read the file without loading it. Dynamic checks run the DLL in child
//! processes, so a program that uses this library must call [`child_main`] if its first argument is [`CHILD_SUBCOMMAND`].
#![deny(unsafe_code)]

mod check;
mod check_file;
mod counters;
mod dynamic;
mod error;
mod export_names;
mod finding;
mod image;
mod list;
mod options;
mod process_state;
mod render;
mod report;
mod statics;
mod version;

pub use check::{Check, Kind};
pub use check_file::{check, check_with};
pub use dynamic::{CHILD_SUBCOMMAND, child_main};
pub use error::CannotCheck;
pub use finding::{Culprit, Finding, Outcome, Problem};
pub use image::is_signed;
pub use list::{ListReport, check_list};
pub use options::Options;
pub use report::{Facts, NotRun, ProfileVerdict, Report, Verdict};
pub use version::product_version;
