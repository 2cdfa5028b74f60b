//! Pools that give nothing or too much, and paths that collide.

use super::Looking;
use crate::addresses::{Family, text};
use std::path::{Component, Path};

impl Looking<'_> {
    pub(super) fn addresses(&mut self) {
        let file = self.file;
        let own: Vec<u64> = self.config.addresses.server.iter().map(|address| address.to_bits().into()).collect();
        for ((name, pool), compiled) in file.pools.iter().zip(&self.config.addresses.pools) {
            if compiled.ranges.is_empty() {
                let what = format!("the pool `{}` has no address to give", name.get_ref());
                self.warn(name.span(), what, "write addresses = [\"10.20.16.0/24\"], or remove the pool");
            }
            for range in pool.addresses.iter().flat_map(|list| list.get_ref()) {
                let Ok((first, last)) = text::parse_range(range.get_ref(), Family::Ipv4) else { continue };
                let Some(own) = own.iter().find(|own| (first..=last).contains(own)) else { continue };
                let own = text::show(*own, Family::Ipv4);
                let what = format!(
                    "`{}` lies around {own}, the server's own address, so it probably overlaps RRAS's own pool",
                    range.get_ref()
                );
                self.warn(range.span(), what, "RRAS takes its own address from its pool: use another network here");
            }
        }
    }

    pub(super) fn paths(&mut self) {
        let config = self.config;
        let (ledger, journal) = (self.read.position(&["ledger", "path"]), self.read.position(&["journal", "folder"]));
        let both = ledger.clone().or(journal.clone()).unwrap_or(0..0);
        if same(&config.ledger, &config.journal) {
            let help = "the ledger is a file of its own: write ledger.path = \"rasadmin.db\"";
            self.warn(both, "the ledger's path is the journal's folder", help);
        }
        if same(&config.ledger, &config.bundle.file) {
            let help = "the ledger is a file of its own: write ledger.path = \"rasadmin.db\"";
            self.warn(ledger.unwrap_or(0..0), "the ledger's path is this configuration file", help);
        }
        if same(&config.journal, &config.bundle.file) {
            let help = "the journal is a folder of its own: write journal.folder = \"journal\"";
            self.warn(journal.unwrap_or(0..0), "the journal's folder is this configuration file", help);
        }
    }
}

/// Do two paths name the same file, as far as their spelling says?
fn same(one: &Path, other: &Path) -> bool {
    let parts = |path: &Path| {
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()),
                part => {
                    let part = part.as_os_str().to_string_lossy();
                    parts.push(if cfg!(windows) { part.to_lowercase() } else { part.into_owned() });
                }
            }
        }
        parts
    };
    parts(one) == parts(other)
}
