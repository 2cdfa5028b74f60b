//! The address functions: byte order, halves of the IPv6 address, and notify_release.

use super::*;

#[test]
fn addresses_are_in_network_byte_order_and_notify_is_as_assigned() {
    let _turn = turn(|world| world.ipv4 = |_| Ok(Assignment::of(Ipv4Addr::new(10, 9, 8, 7))));
    let (mut address, mut notify) = (u32::from_ne_bytes(OFFER), 9);
    assert_eq!(get_ipv4(&wide("a"), &mut address, &mut notify), 0);
    assert_eq!((address.to_ne_bytes(), notify), ([10, 9, 8, 7], TRUE));
    assert_eq!(calls(), ["ipv4 user=a units=1 port=VPN0-1 10.8.0.5"]);
    world().ipv4 = |offer| Ok(Assignment::without_release(offer));
    assert_eq!(get_ipv4(&wide("a"), &mut address, &mut notify), 0);
    assert_eq!(notify, FALSE);
    world().ipv4 = |_| Err(Refusal::new("no").with_code(1460));
    (address, notify) = (u32::from_ne_bytes(OFFER), TRUE);
    assert_eq!(get_ipv4(&wide("a"), &mut address, &mut notify), 1460);
    assert_eq!((address.to_ne_bytes(), notify), (OFFER, FALSE));
    world().ipv4 = |_| Ok(Assignment::of(Ipv4Addr::UNSPECIFIED));
    assert_ne!(get_ipv4(&wide("a"), &mut address, &mut notify), 0, "0.0.0.0 is not a success");
    assert_eq!((address.to_ne_bytes(), notify), (OFFER, FALSE));
    calls();
    // SAFETY: terminated names.
    unsafe { MprAdminReleaseIpAddress(wide("a").as_ptr(), wide("p").as_ptr(), &mut address) };
    assert_eq!(calls(), ["ipv4 release 10.8.0.5"]);
}

#[test]
fn the_ipv6_identifier_goes_into_the_low_half_and_the_rest_is_preserved() {
    let _turn = turn(|world| world.ipv6 = |_| Ok(Assignment::of(InterfaceId([9; 8]))));
    let both = [1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 2, 2, 2, 2, 2, 2, 2];
    let given = [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9];
    assert_eq!(get_ipv6(both), (0, given, TRUE));
    let high_only = [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        get_ipv6(high_only),
        (0, high_only, TRUE),
        "the identifier seems to be in the first half: the offer is kept"
    );
    world().ipv6 = |_| Ok(Assignment::of(InterfaceId([0; 8])));
    let (code, address, notify) = get_ipv6(both);
    assert_eq!((code != 0, address, notify), (true, both, FALSE), "never a zero identifier");
    world().ipv6 = |offer| Ok(Assignment::of(offer));
    assert_eq!(get_ipv6([0; 16]), (0, [0; 16], TRUE), "any offer can be kept");
}

#[test]
fn notify_release_is_false_on_every_refusal() {
    let (name, mut ipv4, mut ipv6) = (wide("a"), u32::from_ne_bytes(OFFER), IN6_ADDR::default());
    let name = name.as_ptr();
    for initialised in [false, true] {
        let _turn = if initialised { turn(|_| {}) } else { idle() };
        let nobody = if initialised { std::ptr::null() } else { name };
        let (mut first, mut second, mut third) = (TRUE, TRUE, TRUE);
        // SAFETY: terminated names, writable outputs, or null.
        unsafe {
            assert_ne!(MprAdminGetIpAddressForUser(nobody, name, &mut ipv4, &mut first), 0);
            assert_ne!(MprAdminGetIpv6AddressForUser(nobody, name, &mut ipv6, &mut second), 0);
            assert_ne!(MprAdminGetIpv6AddressForUser(name, name, null_mut(), &mut third), 0);
        }
        assert_eq!([first, second, third], [FALSE; 3], "initialised: {initialised}");
    }
}
