//! What the product and the command know of this computer: where configuration and log are, its name; and for the command
//! (feature `admin`) RRAS's list of DLLs, the registry, and the rights on folders.
#![deny(unsafe_code)]

#[cfg(feature = "admin")]
pub mod acl;
#[cfg(feature = "admin")]
pub mod mark;
pub mod places;
#[cfg(feature = "admin")]
pub mod registration;
#[cfg(feature = "admin")]
pub mod registry;
