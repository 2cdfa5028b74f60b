//! Pools that give nothing or too much.

use super::Looking;
use crate::addresses::{Family, text};

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
                // What is left of the pool counts: an overlap may have been excluded.
                let given = |from: u64, to: u64| compiled.ranges.iter().any(|&(begin, end)| begin <= to && from <= end);
                let rras =
                    self.computer.rras.iter().map(|(from, to)| (u64::from(from.to_bits()), u64::from(to.to_bits())));
                let mut rras = rras.map(|(from, to)| (from.max(first), to.min(last)));
                if let Some((from, to)) = rras.find(|&(from, to)| from <= to && given(from, to)) {
                    let [from, to] = [from, to].map(|number| text::show(number, Family::Ipv4));
                    let what = format!("RRAS's own pool has {from} to {to} of `{}`, too", range.get_ref());
                    let help = "RRAS refuses an address that another client has (error 735): use another network here";
                    self.warn(range.span(), what, help);
                    continue;
                }
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
}
