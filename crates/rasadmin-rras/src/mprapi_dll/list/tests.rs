use super::*;

/// A part with entries of one byte, which are their handles.
fn part(bytes: &[u8], total: u32, next: Option<u32>) -> Part {
    Part { bytes: bytes.to_vec(), total, next }
}

/// Reads the list that RRAS gives in these parts, one after the other. All must be asked for.
fn read(parts: impl IntoIterator<Item = Part>) -> Result<Vec<u8>, Failure> {
    let mut parts = parts.into_iter();
    let list = whole(1, |_| Ok(parts.next().expect("another part")), |bytes| Ok(bytes[0]), |&handle| handle.into());
    assert!(parts.next().is_none(), "not all parts were asked for: {list:?}");
    list
}

fn malformed(list: Result<Vec<u8>, Failure>) -> String {
    match list {
        Err(Failure::Malformed(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_goes_on_where_rras_says() {
    let mut asked = Vec::new();
    let parts = [part(b"ab", 3, Some(9)), part(b"c", 1, None)];
    let mut parts = parts.iter().cycle();
    let next = |at| {
        asked.push(at);
        Ok(parts.next().unwrap().clone())
    };
    assert_eq!(whole(1, next, |bytes| Ok(bytes[0]), |&handle| handle.into()).unwrap(), b"abc");
    assert_eq!(asked, [0, 9, 0, 9], "in parts, it is read twice");
}

#[test]
fn at_once_it_is_read_once() {
    assert_eq!(read([part(b"abc", 3, None)]).unwrap(), b"abc");
    assert_eq!(read([part(b"", 0, None)]).unwrap(), b"");
}

#[test]
fn a_list_that_changes_between_its_parts_is_read_again() {
    // After the first part, a ended and e began: the totals fit, and c is missing.
    let missing = || [part(b"ab", 4, Some(2)), part(b"de", 2, None)];
    let whole = || [part(b"bc", 4, Some(2)), part(b"de", 2, None)];
    let readings = missing().into_iter().chain(whole()).chain(whole());
    assert_eq!(read(readings).unwrap(), b"bcde");
    // One of the first part ended.
    let short = || [part(b"ab", 4, Some(2)), part(b"d", 1, None)];
    // One began before the others, so one comes twice.
    let twice = || [part(b"ab", 3, Some(2)), part(b"b", 1, None)];
    let readings = short().into_iter().chain(twice()).chain([part(b"zab", 3, None)]);
    assert_eq!(read(readings).unwrap(), b"zab");
    let never = missing().into_iter().chain(short()).chain(missing()).chain(twice());
    assert_eq!(read(never), Err(Failure::Changed));
}

#[test]
fn a_list_that_contradicts_itself_is_not_read_again() {
    assert_eq!(malformed(read([part(b"ab", 3, None)])), "it ends after 2 of 3 entries");
    assert_eq!(malformed(read([part(b"ab", 1, None)])), "it ends after 2 of 1 entries");
    assert_eq!(malformed(read([part(b"aa", 2, None)])), "two entries have the handle 97");
    let stuck = "it has more than 2 entries and does not say how to read them";
    assert_eq!(malformed(read([part(b"ab", 3, Some(0))])), stuck);
    assert_eq!(malformed(read([part(b"ab", 4, Some(2)), part(b"", 2, Some(3))])), stuck);
    let stuck = "it has more than 3 entries and does not say how to read them";
    assert_eq!(malformed(read([part(b"ab", 4, Some(2)), part(b"c", 2, Some(2))])), stuck);
}

#[test]
fn the_failure_of_a_part_is_that_of_the_list() {
    let mut parts = [Ok(part(b"a", 2, Some(1))), Err(Failure::AccessDenied)].into_iter();
    let list = whole(1, |_| parts.next().unwrap(), |bytes| Ok(bytes[0]), |&handle: &u8| handle.into());
    assert_eq!(list, Err(Failure::AccessDenied));
}

#[test]
fn a_list_without_end_ends() {
    let size = 1000;
    let mut from = 0_u32;
    let next = |_| {
        let bytes = (from..from + size).flat_map(u32::to_le_bytes).collect();
        from += size;
        Ok(Part { bytes, total: u32::MAX, next: Some(from) })
    };
    let number = |bytes: &[u8]| Ok(u32::from_le_bytes(bytes.try_into().unwrap()));
    let list = whole(4, next, number, |&handle| handle.into());
    assert_eq!(list, Err(too_many(66_000)));
}
