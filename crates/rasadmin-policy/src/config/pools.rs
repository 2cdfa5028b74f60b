//! Compiles pools into the address plan, with the reservations, and finds all mistakes in them.

mod parts;

use super::compile::MAX_WORDED;
use super::file::{At, File, Pool as FilePool};
use super::fitness::unfit;
use super::list_files::{Lines, ListFile};
use super::reservations::Reservations;
use super::{Mistake, candidate};
use crate::addresses::ranges::{Range, subtract};
use crate::addresses::{Address, Family, Plan, Pool, PoolId, text};
use crate::suggest;
use parts::{Overlap, Part, Span};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;

/// How many entries a pool's list, and its `exclude`, can have. RRAS waits while they are sorted.
const MAX_ENTRIES: usize = 10_000;

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
    unworded: Vec<Span>,
    /// The pools with entries that overlap others: what is left of them says nothing.
    overlapped: HashSet<usize>,
    server: BTreeSet<Ipv4Addr>,
}

/// The plan, and what is wrong with it.
pub(super) struct Planned {
    pub plan: Plan,
    pub mistakes: Vec<Mistake>,
    /// The positions of further mistakes, which are only counted. Each comes after twenty of its kind.
    pub unworded: Vec<Span>,
}

/// Makes the plan, and lists all mistakes. `goes_on` is asked between pools.
pub(super) fn plan<B>(
    file: &File,
    ids: &Ids,
    reserved: Reservations,
    goes_on: &mut dyn FnMut() -> ControlFlow<B>,
) -> ControlFlow<B, Planned> {
    let pools = file.pools.values().collect();
    let Reservations { by_user: reservations, reserved, own, server, .. } = reserved;
    let (mistakes, unworded, overlapped) = Default::default();
    let mut planner = Planner { file, ids, pools, mistakes, unworded, overlapped, server };
    let (mut taken, mut overlaps) = (Vec::new(), Vec::new());
    for (at, pool) in file.pools.values().enumerate() {
        goes_on()?;
        taken.push((family(pool), planner.parts(at, pool, &mut overlaps)));
    }
    parts::of_all(&mut taken, &mut overlaps);
    goes_on()?;
    planner.overlaps(overlaps);
    let mut pools = Vec::new();
    for (at, ((name, pool), (_, parts))) in file.pools.iter().zip(taken).enumerate() {
        goes_on()?;
        pools.push(planner.pool(at, name, pool, parts, &reserved, own.as_ref()));
    }
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
    let Planner { mistakes, unworded, server, .. } = planner;
    let plan = Plan {
        pools,
        reservations,
        reserved,
        server: server.into_iter().collect(),
        default_pools,
        sticky: file.addresses.sticky,
        reservation_held: file.addresses.reservation_held,
    };
    ControlFlow::Continue(Planned { plan, mistakes, unworded })
}

impl Planner<'_> {
    fn wrong(&mut self, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, what, help));
    }

    /// A pool's addresses without its exclusions.
    fn parts(&mut self, at: usize, pool: &FilePool, overlaps: &mut Vec<Overlap>) -> Vec<Part> {
        let family = family(pool);
        let lists = pool.addresses.as_ref().or(pool.identifiers.as_ref());
        if let Some(list) = lists.filter(|list| list.get_ref().len() > MAX_ENTRIES) {
            self.too_many(list.span(), "its list");
            return Vec::new();
        }
        if let Some(first) = pool.exclude.first().filter(|_| pool.exclude.len() > MAX_ENTRIES) {
            self.too_many(first.span(), "`exclude`");
            return Vec::new();
        }
        let mut parse = |texts: &[At<String>]| {
            let mut parts = Vec::new();
            for text in texts {
                match text::parse_range(text.get_ref(), family) {
                    Ok(range) => parts.push(Part { range, span: text.span() }),
                    Err((what, help)) => self.wrong(text.span(), what, help),
                }
            }
            parts
        };
        let (listed, excluded) = (parse(lists.map_or(&[][..], |list| list.get_ref())), parse(&pool.exclude));
        let all = parts::all_of(&listed);
        for Part { range, span } in &excluded {
            if !parts::has(*range, &all) {
                self.wrong(
                    span.clone(),
                    "this is not in the pool, so it cannot be left out of it",
                    "remove it, or correct it",
                );
            }
        }
        parts::of_pool((at, family), listed, &parts::all_of(&excluded), overlaps)
    }

    fn too_many(&mut self, span: Span, list: &str) {
        let what = format!(
            "a pool can have no more than {MAX_ENTRIES} entries, and {list} has more than {MAX_ENTRIES} entries"
        );
        self.wrong(
            span,
            what,
            "write ranges instead of single addresses, or make several pools and chain them with `next`",
        );
    }

    /// Reports addresses that are in two pools, or twice in one.
    fn overlaps(&mut self, overlaps: Vec<Overlap>) {
        for (at, overlap) in parts::of_entries(overlaps).into_iter().enumerate() {
            let Overlap { span, family, address, pool, other } = overlap;
            self.overlapped.insert(pool);
            if at >= MAX_WORDED {
                self.unworded.push(span);
                continue;
            }
            let names = |at: usize| self.file.pools.keys().nth(at).map_or("", |name| name.get_ref().as_str());
            let of = if other == pool { "this pool".to_owned() } else { format!("the pool `{}`", names(other)) };
            let what = format!("{} is already in {of}", text::show(address, family));
            self.wrong(span, what, "an address can belong to one pool only: change the ranges, or use `exclude`");
        }
    }

    fn pool(
        &mut self,
        at: usize,
        name: &At<String>,
        pool: &FilePool,
        parts: Vec<Part>,
        reserved: &BTreeSet<Address>,
        own: Option<&BTreeSet<Address>>,
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
        for Part { range: (first, last), span } in &parts {
            if !faulty.contains(&span.start)
                && let Some((what, help)) = unfit(&self.server, family, *first, *last)
            {
                faulty.insert(span.start);
                self.wrong(span.clone(), what, help);
            }
        }
        let all: Vec<Range> = parts.into_iter().map(|part| part.range).collect();
        let any = !all.is_empty() && !self.overlapped.contains(&at);
        let ranges = without(&all, family, reserved);
        if any && ranges.is_empty() {
            let of_file = own.filter(|own| !without(&all, family, own).is_empty());
            match (of_file, &self.file.addresses.reservations_file) {
                // It would say for each address of a short pool whether the file has it.
                (Some(_), Some(path)) => {
                    let file = ListFile { path: path.clone(), lines: Lines::Reservations };
                    self.mistakes.push(candidate::list_does_not_fit(&file));
                }
                _ => {
                    let what = format!("nothing is left of the pool `{}`", name.get_ref());
                    self.wrong(name.span(), what, "exclusions and reservations take all of it: make it larger");
                }
            }
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

/// What is left of disjoint ranges without what is reserved. So each reservation is looked at once for all pools.
fn without(ranges: &[Range], family: Family, reserved: &BTreeSet<Address>) -> Vec<Range> {
    let within = ranges.iter().flat_map(|(first, last)| {
        let [first, last] = [first, last].map(|&number| Address { family, number });
        reserved.range(first..=last)
    });
    subtract(ranges.to_vec(), within.map(|address| (address.number, address.number)).collect())
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
