//! Compiles pools into the address plan, with the reservations, and finds all mistakes in them.

use super::Mistake;
use super::file::{At, File, Pool as FilePool};
use super::fitness::unfit;
use super::reservations::Reservations;
use crate::addresses::ranges::{Range, subtract};
use crate::addresses::{Address, Family, Plan, Pool, PoolId, text};
use crate::suggest;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The pools by name.
pub type Ids = HashMap<String, PoolId>;

/// The ids of the pools: their positions in the file's table.
pub fn ids(file: &File) -> Ids {
    (0..).map(PoolId).zip(file.pools.keys()).map(|(id, name)| (name.get_ref().clone(), id)).collect()
}

/// The family of a pool.
fn family(pool: &FilePool) -> Family {
    if pool.addresses.is_some() { Family::Ipv4 } else { Family::Ipv6 }
}

struct Planner<'a> {
    file: &'a File,
    ids: &'a Ids,
    /// The file's pools, by their ids.
    pools: Vec<&'a FilePool>,
    mistakes: Vec<Mistake>,
    server: HashSet<std::net::Ipv4Addr>,
}

/// Makes the plan, and lists all mistakes.
pub(super) fn plan(file: &File, ids: &Ids, reserved: Reservations) -> (Plan, Vec<Mistake>) {
    let pools = file.pools.values().collect();
    let Reservations { by_user: reservations, reserved, server, .. } = reserved;
    let mut planner = Planner { file, ids, pools, mistakes: Vec::new(), server };
    let taken: Vec<Vec<(Range, std::ops::Range<usize>)>> = file.pools.values().map(|p| planner.ranges(p)).collect();
    planner.overlaps(&taken);
    let pools = file.pools.iter().zip(taken).map(|((name, pool), ranges)| planner.pool(name, pool, ranges, &reserved));
    let pools = pools.collect();
    planner.circles();
    let default_pools = [
        planner.reference(file.addresses.pool.as_ref(), Family::Ipv4),
        planner.reference(file.addresses.ipv6_pool.as_ref(), Family::Ipv6),
    ];
    for group in file.groups.values() {
        planner.reference(group.pool.as_ref(), Family::Ipv4);
        planner.reference(group.ipv6_pool.as_ref(), Family::Ipv6);
    }
    for rule in &file.rules {
        let rule = rule.get_ref();
        planner.reference(rule.pool.as_ref(), Family::Ipv4);
        planner.reference(rule.ipv6_pool.as_ref(), Family::Ipv6);
    }
    let Planner { mistakes, server, .. } = planner;
    let plan = Plan {
        pools,
        reservations,
        reserved,
        server,
        default_pools,
        sticky: file.addresses.sticky,
        reservation_held: file.addresses.reservation_held,
    };
    (plan, mistakes)
}

impl Planner<'_> {
    fn wrong(&mut self, span: std::ops::Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, what, help));
    }

    /// A pool's ranges without its exclusions, each with its position.
    fn ranges(&mut self, pool: &FilePool) -> Vec<(Range, std::ops::Range<usize>)> {
        let family = family(pool);
        let mut parse = |texts: &[At<String>]| {
            let mut ranges = Vec::new();
            for text in texts {
                match text::parse_range(text.get_ref(), family) {
                    Ok(range) => ranges.push((range, text.span())),
                    Err((what, help)) => self.wrong(text.span(), what, help),
                }
            }
            ranges
        };
        let listed = pool.addresses.as_ref().or(pool.identifiers.as_ref()).map_or(&[][..], |list| list.get_ref());
        let (listed, excluded) = (parse(listed), parse(&pool.exclude));
        for ((first, last), span) in &excluded {
            if !listed.iter().any(|((begin, end), _)| begin <= last && first <= end) {
                self.wrong(
                    span.clone(),
                    "this is not in the pool, so it cannot be left out of it",
                    "remove it, or correct it",
                );
            }
        }
        let without: Vec<Range> = excluded.into_iter().map(|(range, _)| range).collect();
        let cut = |(range, span): (Range, std::ops::Range<usize>)| {
            subtract(vec![range], without.clone()).into_iter().map(move |range| (range, span.clone()))
        };
        listed.into_iter().flat_map(cut).collect()
    }

    /// Reports addresses that are in two pools, or twice in one.
    fn overlaps(&mut self, taken: &[Vec<(Range, std::ops::Range<usize>)>]) {
        let pools: Vec<_> = self.file.pools.iter().collect();
        let mut all: Vec<(Family, Range, &std::ops::Range<usize>, usize)> = Vec::new();
        for (index, ranges) in taken.iter().enumerate() {
            all.extend(ranges.iter().map(|(range, span)| (family(pools[index].1), *range, span, index)));
        }
        all.sort_by_key(|&(family, range, ..)| (family, range));
        let mut reaches: Option<(Family, u64, usize)> = None;
        let mut found = Vec::new();
        for (family, (first, last), span, index) in all {
            if let Some((before, end, other)) = reaches
                && before == family
                && first <= end
            {
                let shared = text::show(first, family);
                let other = pools[other].0.get_ref();
                let pool = if other == pools[index].0.get_ref() {
                    "this pool".to_owned()
                } else {
                    format!("the pool `{other}`")
                };
                found.push((span.clone(), format!("{shared} is already in {pool}")));
            }
            if reaches.is_none_or(|(before, end, _)| before != family || end < last) {
                reaches = Some((family, last, index));
            }
        }
        found.dedup_by(|a, b| a.0 == b.0);
        for (span, what) in found {
            self.wrong(span, what, "an address can belong to one pool only: change the ranges, or use `exclude`");
        }
    }

    fn pool(
        &mut self,
        name: &At<String>,
        pool: &FilePool,
        ranges: Vec<(Range, std::ops::Range<usize>)>,
        reserved: &BTreeSet<Address>,
    ) -> Pool {
        let family = family(pool);
        match (&pool.addresses, &pool.identifiers) {
            (Some(_), Some(identifiers)) => {
                let what = "a pool has either `addresses` (IPv4) or `identifiers` (IPv6)";
                self.wrong(identifiers.span(), what, "make a second pool for IPv6");
            }
            (None, None) => {
                let what = format!("the pool `{}` has no addresses", name.get_ref());
                self.wrong(name.span(), what, "write addresses = [\"10.20.16.0/24\"], or identifiers = [...] for IPv6");
            }
            _ => {}
        }
        let mut faulty = HashSet::new();
        for ((first, last), span) in &ranges {
            if let Some((what, help)) = unfit(&self.server, family, *first, *last)
                && faulty.insert(span.start)
            {
                self.wrong(span.clone(), what, help);
            }
        }
        let any = !ranges.is_empty();
        // Each pool looks at its own part only.
        let without = ranges.iter().flat_map(|((first, last), _)| {
            let [first, last] = [first, last].map(|&number| Address { family, number });
            reserved.range(first..=last)
        });
        let without = without.map(|address| (address.number, address.number)).collect();
        let ranges = subtract(ranges.into_iter().map(|(range, _)| range).collect(), without);
        if any && ranges.is_empty() {
            let what = format!("nothing is left of the pool `{}`", name.get_ref());
            self.wrong(name.span(), what, "exclusions and reservations take all of it: make it larger");
        }
        let next = self.reference(pool.next.as_ref(), family);
        Pool { name: name.get_ref().clone(), family, ranges, next, when_exhausted: pool.when_exhausted }
    }

    /// Reports each pool whose `next` leads back to it.
    fn circles(&mut self) {
        let index = |name: &At<String>| self.ids.get(name.get_ref()).map(|id| id.0 as usize);
        let next: Vec<_> = self.pools.iter().map(|pool| pool.next.as_ref().and_then(index)).collect();
        let file = self.file;
        for ((name, pool), circular) in file.pools.iter().zip(in_circles(&next)) {
            if let Some(next) = pool.next.as_ref().filter(|_| circular) {
                let what = format!("`next` leads back to the pool `{}`", name.get_ref());
                self.wrong(next.span(), what, "end the chain somewhere");
            }
        }
    }

    fn reference(&mut self, name: Option<&At<String>>, family: Family) -> Option<PoolId> {
        let name = name?;
        let found = self.ids.get(name.get_ref()).copied();
        if found.is_none() {
            let names = self.file.pools.keys().map(|key| key.get_ref().as_str());
            let otherwise = format!("declare it as `[pools.{}]`", name.get_ref());
            let help = suggest::help(name.get_ref(), names, otherwise);
            self.wrong(name.span(), format!("there is no pool `{}`", name.get_ref()), help);
        }
        self.of_family(Some(name), family);
        found
    }

    fn of_family(&mut self, name: Option<&At<String>>, wanted: Family) {
        let Some(name) = name else { return };
        let pool = self.ids.get(name.get_ref()).map(|id| self.pools[id.0 as usize]);
        // A pool without any addresses is a mistake of its own.
        let pool = pool.filter(|pool| pool.addresses.is_some() || pool.identifiers.is_some());
        if pool.is_some_and(|pool| family(pool) != wanted) {
            let (is, not) = if wanted == Family::Ipv4 { ("IPv6", "IPv4") } else { ("IPv4", "IPv6") };
            let help =
                format!("name a pool with {}", if wanted == Family::Ipv4 { "`addresses`" } else { "`identifiers`" });
            self.wrong(
                name.span(),
                format!("the pool `{}` is an {is} pool, and an {not} pool is needed here", name.get_ref()),
                help,
            );
        }
    }
}

/// Which pools lead back to themselves, given the pool that follows each. Every pool is visited once, however long the
/// chains are: a walk ends at a pool that an earlier walk, or the same one, has visited.
fn in_circles(next: &[Option<usize>]) -> Vec<bool> {
    let (mut walks, mut circular) = (vec![None; next.len()], vec![false; next.len()]);
    for walk in 0..next.len() {
        let mut at = Some(walk);
        while let Some(pool) = at.filter(|&pool| walks[pool].is_none()) {
            walks[pool] = Some(walk);
            at = next[pool];
        }
        at = at.filter(|&pool| walks[pool] == Some(walk));
        while let Some(pool) = at.filter(|&pool| !circular[pool]) {
            circular[pool] = true;
            at = next[pool];
        }
    }
    circular
}
