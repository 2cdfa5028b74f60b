//! Remembers what was asked and answered for each Class. NPS gives each request a Class of its own, and accounting
//! records carry it.

use super::key::digest;
use super::record::Record;
use std::collections::{HashMap, VecDeque};

/// How many bytes those that are remembered may take: some 30,000. Accounting follows its answer within seconds, so
/// this is ample.
const ROOM: usize = 8 << 20;
/// What each takes beside its texts, with its entries in the map and the queue.
const CLASS: usize = size_of::<Asked>() + 96;

/// What is known about a Class.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The user, from the request; an answer may lack it.
    pub user: String,
    pub sam_account: String,
    pub chap_domain: String,
    pub accepted: bool,
    pub rejected: bool,
}

impl Asked {
    /// What it takes of the [`ROOM`].
    fn weigh(&self) -> usize {
        CLASS + self.user.len() + self.sam_account.len() + self.chap_domain.len()
    }
}

/// The latest Classes.
#[derive(Default)]
pub struct Classes {
    asked: HashMap<u128, Asked>,
    order: VecDeque<u128>,
    /// What all take of the [`ROOM`].
    weight: usize,
}

impl Classes {
    /// Records a request or an answer.
    pub fn record(&mut self, record: &Record) {
        if record.class.is_empty() {
            return;
        }
        let class = digest(&[&record.class]);
        let asked = self.asked.entry(class).or_insert_with(|| {
            self.order.push_back(class);
            self.weight += CLASS;
            Asked::default()
        });
        let before = asked.weigh();
        let fill = |field: &mut String, text: &str| {
            if field.is_empty() {
                text.clone_into(field);
            }
        };
        fill(&mut asked.user, &record.user_name);
        fill(&mut asked.sam_account, &record.sam_account);
        fill(&mut asked.chap_domain, &record.chap_domain);
        asked.accepted |= record.packet_type == Some(2);
        asked.rejected |= record.packet_type == Some(3);
        self.weight += asked.weigh() - before;
        while self.weight > ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            self.weight -= self.asked.remove(&oldest).map_or(0, |asked| asked.weigh());
        }
    }

    /// What is known about a record's Class.
    pub fn of(&self, record: &Record) -> Option<&Asked> {
        if record.class.is_empty() { None } else { self.asked.get(&digest(&[&record.class])) }
    }
}
