//! Groups of users.

use super::index::{Builder, UserIndex};
use super::{Fault, GroupId, UserPattern, parse_user};
use crate::addresses::PoolId;
use crate::{Domains, Identity, Name};
use std::collections::HashMap;

/// The groups and their members. A [`GroupId`] is a group's position in the file: the first is 0.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Compiled>,
    by_name: HashMap<String, GroupId>,
    members: UserIndex,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    /// IPv4, IPv6.
    pools: [Option<PoolId>; 2],
}

/// The groups of a user, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSet(Vec<GroupId>);

impl GroupSet {
    /// Does the set contain this group?
    pub fn contains(&self, group: GroupId) -> bool {
        self.0.binary_search(&group).is_ok()
    }

    /// Each of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.0.iter().copied()
    }

    /// Is the set empty?
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

/// Builds groups one after the other. A [`GroupId`] is a group's position among them.
#[derive(Debug, Default)]
pub struct GroupsBuilder {
    groups: Groups,
    members: Builder,
    /// The domain part of the line before, with its user. Lists have a million lines of one domain.
    before: Option<(String, Identity)>,
}

impl GroupsBuilder {
    /// Begins the next group, with its pools: IPv4, IPv6.
    pub fn group(&mut self, name: &str, pools: [Option<PoolId>; 2]) -> GroupId {
        let id = GroupId(self.groups.groups.len() as u32);
        self.groups.by_name.insert(name.to_owned(), id);
        self.groups.groups.push(Compiled { name: name.to_owned(), pools });
        id
    }

    /// Adds the users that a text means ([`parse_user`]) to the group that was begun last.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and how to correct it.
    pub fn member(&mut self, text: &str, domains: &Domains) -> Result<(), Fault> {
        let Some(group) = (self.groups.groups.len() as u32).checked_sub(1) else { return Ok(()) };
        let plain = plain(text);
        if let (Some((domain, name)), Some((before, user))) = (plain, &mut self.before)
            && domain == before
        {
            user.name = Name::plain(name);
            return self.members.add_exact(user, group);
        }
        match parse_user(text, domains)? {
            UserPattern::Exact(user) => {
                self.members.add_exact(&user, group)?;
                self.before = plain.map(|(domain, _)| (domain.to_owned(), user));
                Ok(())
            }
            pattern => self.members.add(pattern, group),
        }
    }

    /// Builds all groups.
    pub fn build(self) -> Groups {
        Groups { members: self.members.build(), ..self.groups }
    }
}

/// Splits `CORP\alice`, `alice@corp.example` or `alice` in ASCII into the domain part, with its separator, and the
/// name. `None` if anything needs the full parser.
fn plain(text: &str) -> Option<(&str, &str)> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let (mut separator, mut dots) = (None, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' | b'@' if separator.is_none() => separator = Some((at, byte)),
            b'.' => dots = true,
            _ if usual(byte) => {}
            _ => return None,
        }
    }
    let (domain, name) = match separator {
        Some((at, b'@')) => (&text[at..], &text[..at]),
        Some((at, _)) => (&text[..=at], &text[at + 1..]),
        // It may be a computer's DNS name.
        None if dots => return None,
        None => ("", text),
    };
    (!name.is_empty() && domain.len() != 1).then_some((domain, name))
}

impl Groups {
    /// The group with this name.
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

    /// A group's pools: IPv4, IPv6.
    pub fn pools(&self, group: GroupId) -> (Option<PoolId>, Option<PoolId>) {
        let [ipv4, ipv6] = self.groups.get(group.0 as usize).map_or([None; 2], |group| group.pools);
        (ipv4, ipv6)
    }

    /// The groups of a user.
    pub fn of(&self, user: &Identity) -> GroupSet {
        self.members.of(user).flatten().map(|&id| GroupId(id)).collect()
    }
}
