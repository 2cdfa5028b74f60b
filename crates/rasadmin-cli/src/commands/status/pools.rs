//! How full the pools are.

use super::facts::{Facts, Mark};
use super::recorded::Recorded;
use crate::format::{count, grouped};
use rasadmin_ledger::report::PoolUse;
use rasadmin_policy::config::Config;

/// Whether a pool is nearly full. Another one is mentioned only if it is the fullest.
pub fn check(facts: &mut Facts, config: &Config, recorded: &Recorded) -> Vec<PoolUse> {
    let pools = PoolUse::of(&config.addresses.pools, &recorded.held);
    report(facts, &pools);
    pools
}

fn report(facts: &mut Facts, pools: &[PoolUse]) {
    let nearly_full: Vec<&PoolUse> = pools.iter().filter(|pool| pool.is_nearly_full()).collect();
    for pool in &nearly_full {
        let effect = match pool.free() {
            0 => "nobody else gets an address of it",
            _ => "when it is full, users are refused or get RRAS's offer",
        };
        let what = format!("{}: {effect}; give it more addresses, or see `rasadmin addresses`", describe(pool));
        facts.add(Mark::Attention, "pool", what);
    }
    let fullest = pools.iter().max_by(|a, b| a.percent().total_cmp(&b.percent()));
    if let Some(fullest) = fullest.filter(|_| nearly_full.is_empty()) {
        let which =
            if pools.len() == 1 { String::new() } else { format!("{}, the fullest: ", count(pools.len(), "pool")) };
        facts.add(Mark::Ok, "pools", format!("{which}{}", describe(fullest)));
    }
}

fn describe(pool: &PoolUse) -> String {
    let (held, size) = (grouped(pool.held), grouped(pool.size));
    format!("{} (IPv{}), {held} of {size} held ({:.1} %)", pool.name, pool.family, pool.percent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_nearly_full_needs_attention_and_the_fullest_is_named() {
        let pool = |name: &str, size, held| PoolUse { name: name.to_owned(), family: 4, size, held };
        let report = |pools: &[PoolUse]| {
            let mut facts = Facts::default();
            report(&mut facts, pools);
            (facts.need_attention(), facts.text(None, false))
        };
        let (attention, text) = report(&[pool("staff", 1000, 900), pool("rest", 10, 3)]);
        assert!(
            !attention && text.contains("2 pools, the fullest: staff (IPv4), 900 of 1,000 held (90.0 %)"),
            "{text}"
        );
        let (attention, text) = report(&[pool("staff", 1000, 901), pool("rest", 10, 3)]);
        assert!(attention && text.contains("staff (IPv4), 901 of 1,000 held (90.1 %): when it is full"), "{text}");
        assert!(!text.contains("rest"), "{text}");
        let (attention, text) = report(&[pool("staff", 10, 10)]);
        assert!(attention && text.contains("nobody else gets an address of it"), "{text}");
        assert_eq!(report(&[]).1, "all is well\n\n");
    }
}
