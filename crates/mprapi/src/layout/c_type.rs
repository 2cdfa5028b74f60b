//! The C type of each field, from its Rust type.

use crate::abi::*;

/// A type of the ABI, as C spells it.
pub(super) trait CType {
    const NAME: &'static str;
    const ELEMENTS: Option<usize> = None;
}

macro_rules! c_types {
    ($($rust:ty = $c:literal),+ $(,)?) => { $(impl CType for $rust { const NAME: &'static str = $c; })+ };
}

c_types! {
    u8 = "BYTE",
    u16 = "WORD",
    u32 = "DWORD",
    i32 = "int",
    u64 = "ULONG64",
    HANDLE = "HANDLE",
    GUID = "GUID",
    FILETIME = "FILETIME",
    IN6_ADDR_0 = "union",
    MPRAPI_OBJECT_HEADER = "MPRAPI_OBJECT_HEADER",
    PPP_NBFCP_INFO = "PPP_NBFCP_INFO",
    PPP_IPCP_INFO = "PPP_IPCP_INFO",
    PPP_IPCP_INFO2 = "PPP_IPCP_INFO2",
    PPP_IPXCP_INFO = "PPP_IPXCP_INFO",
    PPP_ATCP_INFO = "PPP_ATCP_INFO",
    PPP_CCP_INFO = "PPP_CCP_INFO",
    PPP_LCP_INFO = "PPP_LCP_INFO",
    PPP_IPV6_CP_INFO = "PPP_IPV6_CP_INFO",
    PPP_INFO = "PPP_INFO",
    PPP_INFO_2 = "PPP_INFO_2",
    PPP_INFO_3 = "PPP_INFO_3",
    PROJECTION_INFO = "PROJECTION_INFO",
    PROJECTION_INFO_0 = "union",
}

impl<T: CType, const N: usize> CType for [T; N] {
    const NAME: &'static str = T::NAME;
    const ELEMENTS: Option<usize> = Some(N);
}

impl<F> CType for Option<F> {
    const NAME: &'static str = "pointer to a function";
}

/// The C type of the field that `_get` reads, with the number of elements if it is an array, and its size. Some C types are
/// the same in Rust; the field's name decides.
pub(super) fn field<S, T: CType>(name: &str, _get: fn(&S) -> &T) -> (&'static str, Option<usize>, usize) {
    let c_type = match (T::NAME, name) {
        ("WORD", name) if name.starts_with("wsz") => "WCHAR",
        ("int", "dwInterfaceType") => "ROUTER_INTERFACE_TYPE",
        ("int", "dwPortCondition") => "RAS_PORT_CONDITION",
        ("int", "dwHardwareCondition") => "RAS_HARDWARE_CONDITION",
        ("int", "rasQuarState") => "RAS_QUARANTINE_STATE",
        (c_type, _) => c_type,
    };
    (c_type, T::ELEMENTS, size_of::<T>())
}
