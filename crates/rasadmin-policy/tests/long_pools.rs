//! Pools with many entries: what they cost grows with the entries, not with their products.
#![allow(clippy::unwrap_used)]

use rasadmin_policy::addresses::Family;
use rasadmin_policy::config::{Config, ConfigErrors, parse};
use std::fmt::Write as _;
use std::path::Path;

fn compile(pools: &str, list: &str) -> Result<Config, ConfigErrors> {
    let text = format!("default_domain = 'CORP'\ndefault.action = 'allow'\n{pools}");
    parse("r.toml", &text, Path::new("/etc"), &mut |_| Ok(list.to_owned()))
}

fn list<T: std::fmt::Display>(entries: impl Iterator<Item = T>) -> String {
    entries.fold(String::new(), |mut text, entry| {
        let _ = write!(text, "'{entry}',");
        text
    })
}

fn all(errors: &ConfigErrors) -> usize {
    errors.mistakes().len() + errors.more()
}

#[test]
fn an_entry_has_one_overlap_however_much_is_excluded() {
    const MANY: usize = 1_000;
    let (listed, excluded) = (list((0..MANY).map(|_| "::/64")), list((0..MANY).map(|at| format!("::{:x}", at * 2))));
    let errors = compile(&format!("[pools.p]\nidentifiers = [{listed}]\nexclude = [{excluded}]\n"), "").unwrap_err();
    assert!(all(&errors) <= MANY, "{}", all(&errors));
    assert_eq!(errors.mistakes().len(), 20);
    // The first that is not excluded.
    assert_eq!(errors.mistakes()[1].what, "::1 is already in this pool");
}

/// Each of the pools would have a range for each reservation.
#[test]
fn pools_that_overlap_do_not_share_the_reservations() {
    let reserved: String = (0..20_000)
        .map(|at| format!("user{at},10.{}.{}.{}\n", at / 10_000, at / 100 % 100, at % 100 * 2 + 1))
        .collect();
    let one = |at| format!("[pools.p{at}]\naddresses = ['10.0.0.0/8']\n");
    let text = "addresses.reservations_file = 'list'\n".to_owned() + &(0..400).map(one).collect::<String>();
    let errors = compile(&text, &reserved).unwrap_err();
    assert_eq!(all(&errors), 399);
    assert_eq!(errors.mistakes()[0].what, "10.0.0.1 is already in the pool `p0`");
}

#[test]
fn what_overlaps_only_where_it_is_excluded_is_valid() {
    let config = compile(
        "[pools.p]\naddresses = ['10.1.0.1-10.1.0.20', '10.1.0.10-10.1.0.30']\nexclude = ['10.1.0.10-10.1.0.14', '10.1.0.15-10.1.0.20']\n
         [pools.q]\naddresses = ['10.1.0.1-10.1.0.40']\nexclude = ['10.1.0.1-10.1.0.9', '10.1.0.21-10.1.0.30']\n",
        "",
    )
    .unwrap();
    let ranges: Vec<_> = config.addresses.pools.iter().map(|pool| pool.ranges.clone()).collect();
    let at = |first: u64, last: u64| (0x0a01_0000 + first, 0x0a01_0000 + last);
    assert_eq!(ranges, [vec![at(1, 9), at(21, 30)], vec![at(10, 20), at(31, 40)]]);
    assert!(config.addresses.pools.iter().all(|pool| pool.family == Family::Ipv4));
}

#[test]
fn a_pool_has_a_limit() {
    let entries = |many: usize| list((0..many).map(|at| format!("::{at:x}:1")));
    let pool = |many: usize, excluded: usize| {
        format!("[pools.p]\nidentifiers = [{}]\nexclude = [{}]\n", entries(many), entries(excluded))
    };
    let most = compile(&pool(10_000, 9_999), "").unwrap();
    assert_eq!(most.addresses.pools[0].ranges.len(), 1);
    for (listed, excluded) in [(10_001, 0), (10, 10_001)] {
        let errors = compile(&pool(listed, excluded), "").unwrap_err();
        assert_eq!(all(&errors), 1, "{errors}");
        assert!(errors.mistakes()[0].what.contains("more than 10000 entries"), "{errors}");
    }
}
