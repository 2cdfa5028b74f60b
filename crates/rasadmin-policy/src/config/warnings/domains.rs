//! Domains of users that `[domains]` does not list, although it lists others.

use super::Looking;
use crate::config::file::At;
use crate::rules::{UserPattern, parse_user};
use crate::{Domains, Name, suggest};
use std::collections::HashSet;

impl Looking<'_> {
    pub(super) fn domains(&mut self) {
        let (file, config) = (self.file, self.config);
        if file.domains.is_empty() {
            return;
        }
        let listed: Vec<&str> = file.domains.keys().map(|name| name.get_ref().as_str()).collect();
        let others = file.default_domain.iter().map(|name| name.get_ref().as_str());
        let own = file.server.name.iter().map(|name| name.get_ref().as_str()).chain([config.bundle.computer.as_str()]);
        let known = listed.iter().copied().chain(others).chain(own).chain(["", "."]);
        // What was warned about counts as known from then on.
        let mut known: HashSet<Name> = known.map(|name| Domains::folded(Name::new(name))).collect();
        let groups = file.groups.values().flat_map(|group| &group.users);
        let rules = file.rules.iter().map(At::get_ref);
        let rules = rules.flat_map(|rule| rule.users.iter().chain(&rule.not_users).flat_map(|list| list.get_ref()));
        let reserved = file.reservations.iter().map(|reservation| &reservation.get_ref().user);
        for user in groups.chain(rules).chain(reserved) {
            let domain = match parse_user(user.get_ref(), &config.domains) {
                Ok(UserPattern::Exact(user)) => user.domain,
                Ok(UserPattern::Domain(domain) | UserPattern::Prefix(domain, _) | UserPattern::Computers(domain)) => {
                    domain
                }
                Ok(UserPattern::Anyone | UserPattern::AnyComputer) | Err(_) => continue,
            };
            if known.insert(domain.clone()) {
                let what = format!("[domains] does not list the domain `{domain}` of `{}`", user.get_ref());
                let otherwise = "list it with its other names, or correct it".to_owned();
                self.warn(user.span(), what, suggest::help(domain.as_str(), listed.iter().copied(), otherwise));
            }
        }
    }
}
