//! The address functions.

use super::error::CallError;
use super::guard::guarded;
use super::structures::{checked, name};
use crate::address::{AddressRequest, Assignment, InterfaceId};
use crate::admin_dll::{AssignIpv4, AssignIpv6};
use crate::slot::Slot;
use mprapi::FunctionId;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr;

/// Reads the three arguments that all address calls have in common.
///
/// # Safety
/// As [`ask`](super::ask).
unsafe fn address_request<A: Copy>(
    function: FunctionId,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut A,
    ty: ArgumentType,
) -> Result<AddressRequest<A>, CallError> {
    let address = checked::<A>(address.cast(), ty)?;
    // SAFETY: the caller guarantees the pointers (CONTRACT section 1); `address` is not null and aligned.
    let (user, port, address) = unsafe {
        let user = name(user.cast_mut().cast(), ArgumentType::UserName);
        let port = name(port.cast_mut().cast(), ArgumentType::PortName);
        (user?, port?, ptr::read(address))
    };
    Ok(AddressRequest { function, user, port, address })
}

impl<A> AddressRequest<A> {
    fn map<B>(self, to: impl FnOnce(A) -> B) -> AddressRequest<B> {
        let Self { function, user, port, address } = self;
        AddressRequest { function, user, port, address: to(address) }
    }
}

/// Checks the pointer to notify_release and sets it to FALSE. It stays FALSE unless an address is assigned.
///
/// # Safety
/// `notify` is null or points to a writable BOOL.
unsafe fn notify(notify: *mut BOOL) -> Result<*mut BOOL, CallError> {
    let notify = checked::<BOOL>(notify.cast(), ArgumentType::NotifyRelease)?;
    // SAFETY: not null, aligned, and the caller guarantees it (CONTRACT section 1).
    unsafe { ptr::write(notify, FALSE) };
    Ok(notify)
}

/// MprAdminGetIpAddressForUser. The DWORD is in network byte order: it has the address's four bytes in memory.
///
/// # Safety
/// As [`ask`](super::ask).
pub unsafe fn assign_ipv4<D: AssignIpv4>(
    slot: &Slot<D>,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut u32,
    notify_release: *mut BOOL,
) -> u32 {
    let function = FunctionId::GetIpAddressForUser;
    // This comes first, so that notify_release is FALSE on every refusal.
    // SAFETY: the caller guarantees the pointers.
    let notify_release = unsafe { notify(notify_release) };
    guarded(slot, function, |dll| {
        let notify_release = notify_release?;
        // SAFETY: as above.
        let request = unsafe { address_request(function, user, port, address, ArgumentType::Ipv4Address) }?;
        let request = request.map(|dword| Ipv4Addr::from(dword.to_ne_bytes()));
        let assignment = dll.assign_ipv4(&request).map_err(CallError::Refused)?;
        if assignment.address.is_unspecified() {
            return Err(CallError::UnusableAddress("the DLL assigned 0.0.0.0".into()));
        }
        // SAFETY: both were checked above.
        unsafe {
            ptr::write(address, u32::from_ne_bytes(assignment.address.octets()));
            ptr::write(notify_release, BOOL::from(assignment.notify_release));
        }
        Ok(NO_ERROR)
    })
}

/// MprAdminReleaseIpAddress.
///
/// # Safety
/// As [`ask`](super::ask).
pub unsafe fn release_ipv4<D: AssignIpv4>(slot: &Slot<D>, user: PCWSTR, port: PCWSTR, address: *mut u32) {
    let function = FunctionId::ReleaseIpAddress;
    guarded(slot, function, |dll| {
        // SAFETY: the caller guarantees the pointers.
        let request = unsafe { address_request(function, user, port, address, ArgumentType::Ipv4Address) }?;
        dll.release_ipv4(&request.map(|dword| Ipv4Addr::from(dword.to_ne_bytes())));
        Ok(())
    });
}

/// The bytes of an IN6_ADDR, which is a union of arrays.
type Ipv6Bytes = [u8; 16];

/// MprAdminGetIpv6AddressForUser. The identifier goes into the last eight bytes; the first eight do not change. If the last
/// are zero and the first are not, RRAS seems to expect the identifier in the first, and the offer is kept. A DLL may keep
/// any offer, but may not choose a zero or reserved identifier.
///
/// # Safety
/// As [`ask`](super::ask).
pub unsafe fn assign_ipv6<D: AssignIpv6>(
    slot: &Slot<D>,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut IN6_ADDR,
    notify_release: *mut BOOL,
) -> u32 {
    let function = FunctionId::GetIpv6AddressForUser;
    // This comes first, so that notify_release is FALSE on every refusal.
    // SAFETY: the caller guarantees the pointers.
    let notify_release = unsafe { notify(notify_release) };
    guarded(slot, function, |dll| {
        let notify_release = notify_release?;
        checked::<IN6_ADDR>(address.cast(), ArgumentType::Ipv6Address)?;
        let bytes = address.cast::<Ipv6Bytes>();
        // SAFETY: as above.
        let request = unsafe { address_request(function, user, port, bytes, ArgumentType::Ipv6Address) }?;
        let offer = request.address;
        let Assignment { address: InterfaceId(identifier), notify_release: wanted } =
            dll.assign_ipv6(&request.map(Ipv6Addr::from)).map_err(CallError::Refused)?;
        let mut given = offer;
        if offer[8..] == [0; 8] && offer[..8] != [0; 8] {
            let offer = Ipv6Addr::from(offer);
            tracing::warn!(function = function.name(), "kept the offer {offer}: its last eight bytes are zero");
        } else if offer[8..] == identifier {
            // The DLL may keep any offer, because RRAS is responsible for it.
        } else if InterfaceId(identifier).is_reserved() {
            let identifier = u64::from_be_bytes(identifier);
            return Err(CallError::UnusableAddress(format!(
                "the DLL assigned the reserved identifier {identifier:#018x}"
            )));
        } else {
            given[8..].copy_from_slice(&identifier);
        }
        // SAFETY: both were checked above; IN6_ADDR is these sixteen bytes.
        unsafe {
            ptr::write(bytes, given);
            ptr::write(notify_release, BOOL::from(wanted));
        }
        Ok(NO_ERROR)
    })
}

/// MprAdminReleaseIpv6AddressForUser.
///
/// # Safety
/// As [`ask`](super::ask).
pub unsafe fn release_ipv6<D: AssignIpv6>(slot: &Slot<D>, user: PCWSTR, port: PCWSTR, address: *mut IN6_ADDR) {
    let function = FunctionId::ReleaseIpv6AddressForUser;
    guarded(slot, function, |dll| {
        checked::<IN6_ADDR>(address.cast(), ArgumentType::Ipv6Address)?;
        let bytes = address.cast::<Ipv6Bytes>();
        // SAFETY: the caller guarantees the pointers.
        let request = unsafe { address_request(function, user, port, bytes, ArgumentType::Ipv6Address) }?;
        dll.release_ipv6(&request.map(Ipv6Addr::from));
        Ok(())
    });
}
