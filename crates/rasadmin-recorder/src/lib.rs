//! The engine on its journal.
#![forbid(unsafe_code)]
