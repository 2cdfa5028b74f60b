//! Remembers what was asked and answered for each Class. NPS gives each request a Class of its own, and accounting
//! records carry it.

use super::key::digest;
use super::record::Record;
use std::collections::{HashMap, VecDeque};

/// How many are remembered. Accounting follows its answer within seconds, so this is ample.
const REMEMBERED: usize = 100_000;

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

/// The latest Classes.
#[derive(Default)]
pub struct Classes {
    asked: HashMap<u128, Asked>,
    order: VecDeque<u128>,
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
            Asked::default()
        });
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
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }

    /// What is known about a record's Class.
    pub fn of(&self, record: &Record) -> Option<&Asked> {
        if record.class.is_empty() { None } else { self.asked.get(&digest(&[&record.class])) }
    }
}
