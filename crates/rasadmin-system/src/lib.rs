//! What the product and the command know of this computer: where configuration and log are, and its name.

pub mod places;
