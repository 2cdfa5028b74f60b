//! The structures of the contract as data: every field with its C type, its offset and its size.
//!
//! The numbers are those of the types in [`abi`](crate::abi). The reference page is generated from them, and a test
//! compares them with what a C compiler says.

mod c_type;
mod structures;

pub use structures::structures;

/// A structure of the contract.
#[derive(Clone, Debug)]
pub struct Structure {
    /// Its name in mprapi.h.
    pub name: &'static str,
    /// Its size in bytes on 64-bit Windows.
    pub size: usize,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A field of a structure.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in mprapi.h.
    pub name: &'static str,
    /// Its type in C, without the length of an array.
    pub c_type: &'static str,
    /// The number of elements, if it is an array.
    pub elements: Option<usize>,
    /// Its offset in bytes on 64-bit Windows.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
}
