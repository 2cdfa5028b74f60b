use super::*;
use proptest::prelude::*;

const SIZE: usize = size_of::<RAS_CONNECTION_EX>();

/// The bytes of a connection, with these at these offsets.
fn bytes(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    let [low, high] = (SIZE as u16).to_le_bytes();
    let header: &[u8] = &[1, CONNECTION_TYPE, low, high];
    let handle: &[u8] = &[7];
    for (at, part) in [(0, header), (offset_of!(RAS_CONNECTION_EX, hConnection), handle)].iter().chain(parts) {
        bytes[*at..at + part.len()].copy_from_slice(part);
    }
    bytes
}

#[test]
fn a_header_may_be_empty_and_must_not_be_another() {
    assert_eq!(connection(&bytes(&[])).unwrap().handle, ConnectionHandle(7));
    assert!(connection(&bytes(&[(0, &[0; 4])])).is_ok(), "whether RRAS fills it is unproven");
    for other in [[1, 2, 136, 6], [1, 1, 137, 6], [1, 0, 136, 6], [1, 1, 0, 0]] {
        assert!(matches!(connection(&bytes(&[(0, &other)])), Err(Failure::Malformed(_))), "{other:?}");
    }
    assert!(connection(&bytes(&[(0, &[2, 1, 136, 6])])).is_ok(), "a later revision of the same size");
}

#[test]
fn a_structure_that_is_cut_off_or_all_zero_is_not_one() {
    let whole = bytes(&[]);
    for length in [0, 1, 4, SIZE - 8, SIZE - 1] {
        assert!(connection(&whole[..length]).is_err(), "{length}");
    }
    assert!(connection(&[0; SIZE]).is_err());
    assert!(port(&[0; size_of::<RAS_PORT_0>()]).is_err());
    assert!(port(&[7; size_of::<RAS_PORT_0>() - 1]).is_err());
    assert!(port(&[7; size_of::<RAS_PORT_0>()]).is_ok());
}

#[test]
fn an_address_that_was_not_negotiated_is_not_read() {
    let arm = offset_of!(RAS_CONNECTION_EX, ProjectionInfo) + offset_of!(PROJECTION_INFO, Anonymous);
    let kind = offset_of!(RAS_CONNECTION_EX, ProjectionInfo);
    let failed = offset_of!(PPP_PROJECTION_INFO, dwIPv4NegotiationError);
    let remote = arm + offset_of!(PPP_PROJECTION_INFO, wszRemoteAddress);
    let address: Vec<u8> = "10.0.0.9".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with = |error: u8| connection(&bytes(&[(kind, &[1]), (arm + failed, &[error]), (remote, &address)])).unwrap();
    assert_eq!(with(0).projection.unwrap().ipv4, Some([None, Some([10, 0, 0, 9].into())]));
    assert_eq!(with(1).projection.unwrap().ipv4, None);
}

#[test]
fn windows_numbers_have_their_names() {
    use InterfaceType::*;
    let interfaces = [
        (abi::ROUTER_IF_TYPE_CLIENT, Client),
        (abi::ROUTER_IF_TYPE_HOME_ROUTER, HomeRouter),
        (abi::ROUTER_IF_TYPE_FULL_ROUTER, FullRouter),
        (abi::ROUTER_IF_TYPE_DEDICATED, Dedicated),
        (abi::ROUTER_IF_TYPE_INTERNAL, Other),
        (-1, Other),
    ];
    for (number, interface) in interfaces {
        assert_eq!(InterfaceType::from_windows(number), interface, "{number}");
    }
    let states = [
        (abi::RAS_QUAR_STATE_NORMAL, Some(Quarantine::Normal)),
        (abi::RAS_QUAR_STATE_QUARANTINE, Some(Quarantine::Quarantine)),
        (abi::RAS_QUAR_STATE_PROBATION, Some(Quarantine::Probation)),
        (abi::RAS_QUAR_STATE_NOT_CAPABLE, Some(Quarantine::NotCapable)),
        (4, None),
        (-1, None),
    ];
    for (number, state) in states {
        assert_eq!(Quarantine::from_windows(number), state, "{number}");
    }
}

proptest! {
    /// Nothing panics, and no name is longer than its array.
    #[test]
    fn any_bytes_are_a_structure_or_an_error(mut random in prop::collection::vec(any::<u8>(), SIZE), header: bool) {
        if header {
            random[..4].copy_from_slice(&bytes(&[])[..4]);
        }
        if let Ok(connection) = connection(&random) {
            prop_assert!(header);
            for (name, units) in [(&connection.user, 257), (&connection.domain, 16), (&connection.computer, 17)] {
                prop_assert!(name.to_utf16().len() <= units);
                prop_assert!(!name.to_utf16().contains(&0));
            }
        }
        let port = port(&random[..size_of::<RAS_PORT_0>()]);
        prop_assert!(port.is_err() || port.is_ok_and(|port| port.device.to_utf16().len() <= 129));
    }
}
