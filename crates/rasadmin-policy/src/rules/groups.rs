//! Groups of users.

use super::index::{Builder, UserIndex};
use super::{GroupId, parse_user, suggest};
use crate::addresses::PoolId;
use crate::config::Mistake;
use crate::config::file::{At, Group};
use crate::{Domains, Identity};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Who is in which group. A [`GroupId`] is a group's place in the file: the first is 0.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Compiled>,
    by_name: HashMap<String, GroupId>,
    members: UserIndex,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    /// The names of its pools with their places: IPv4, IPv6.
    named: [Option<(String, Range<usize>)>; 2],
    pools: [Option<PoolId>; 2],
}

/// The groups in which a user is, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSet(Vec<GroupId>);

impl GroupSet {
    /// Is this group one of them?
    pub fn contains(&self, group: GroupId) -> bool {
        self.0.binary_search(&group).is_ok()
    }

    /// Each of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.0.iter().copied()
    }

    /// Is the user in none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<GroupId> for GroupSet {
    fn from_iter<I: IntoIterator<Item = GroupId>>(groups: I) -> Self {
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable();
        groups.dedup();
        Self(groups)
    }
}

impl Groups {
    /// From the file's groups and the lines of their members files (by the group's name; each line with its number,
    /// comments and blank lines already left out).
    pub fn compile(
        groups: &BTreeMap<At<String>, Group>,
        members: &HashMap<String, Vec<(u32, String)>>,
        domains: &Domains,
    ) -> (Self, Vec<Mistake>) {
        let mut in_order: Vec<_> = groups.iter().collect();
        in_order.sort_by_key(|(name, _)| name.span().start);
        let mut mistakes = Vec::new();
        let mut index = Builder::default();
        let mut compiled = Self::default();
        for (id, (name, group)) in (0..).zip(in_order) {
            for user in &group.users {
                match parse_user(user.get_ref(), domains) {
                    Ok(pattern) => index.add(pattern, id),
                    Err((what, help)) => mistakes.push(Mistake::at(user.span(), what, help)),
                }
            }
            for (line, user) in members.get(name.get_ref()).into_iter().flatten() {
                match parse_user(user, domains) {
                    Ok(pattern) => index.add(pattern, id),
                    Err((what, help)) => {
                        let place = group.members_file.as_ref().unwrap_or(name);
                        mistakes.push(Mistake::at(place.span(), format!("{}:{line}: {what}", place.get_ref()), help));
                    }
                }
            }
            let named = [&group.pool, &group.ipv6_pool]
                .map(|pool| pool.as_ref().map(|pool| (pool.get_ref().clone(), pool.span())));
            compiled.by_name.insert(name.get_ref().clone(), GroupId(id));
            compiled.groups.push(Compiled { name: name.get_ref().clone(), named, pools: [None; 2] });
        }
        compiled.members = index.build();
        (compiled, mistakes)
    }

    /// Finds the groups' pools by their names.
    pub fn resolve_pools(&mut self, pool: &dyn Fn(&str) -> Option<PoolId>) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for group in &mut self.groups {
            for (named, found) in group.named.iter().zip(&mut group.pools) {
                let Some((name, span)) = named else { continue };
                *found = pool(name);
                if found.is_none() {
                    mistakes.push(no_pool(span.clone(), name));
                }
            }
        }
        mistakes
    }

    /// The group of a name.
    pub fn id(&self, name: &str) -> Option<GroupId> {
        self.by_name.get(name).copied()
    }

    /// A group's name; empty if there is no such group.
    pub fn name(&self, group: GroupId) -> &str {
        self.groups.get(group.0 as usize).map_or("", |group| &group.name)
    }

    /// All names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// A group's pools: IPv4, IPv6. None before [`Groups::resolve_pools`].
    pub fn pools(&self, group: GroupId) -> (Option<PoolId>, Option<PoolId>) {
        let [ipv4, ipv6] = self.groups.get(group.0 as usize).map_or([None; 2], |group| group.pools);
        (ipv4, ipv6)
    }

    /// The groups in which a user is.
    pub fn of(&self, user: &Identity) -> GroupSet {
        self.members.of(user).flatten().map(|&id| GroupId(id)).collect()
    }

    /// A name that is no group's.
    pub(super) fn unknown(&self, name: &At<String>) -> Mistake {
        let typed = name.get_ref();
        let help = suggest::help(typed, self.names(), format!("declare it as `[groups.{typed}]`"));
        Mistake::at(name.span(), format!("there is no group `{typed}`"), help)
    }
}

/// A name that is no pool's.
pub(super) fn no_pool(span: Range<usize>, name: &str) -> Mistake {
    Mistake::at(span, format!("there is no pool `{name}`"), format!("declare it as `[pools.{name}]`"))
}
