//! Remembers what was asked and answered for each Class. NPS gives each request a Class of its own, and accounting
//! records carry it.

use super::join::LogSession;
use super::key::digest;
use super::record::Record;
use std::collections::{HashMap, VecDeque};

/// How many are remembered. Accounting follows its answer within seconds, so this is ample.
const REMEMBERED: usize = 100_000;

/// What is known about a Class.
#[derive(Debug, Default)]
pub struct Asked {
    /// The user, from the request; an answer may lack it.
    pub user: String,
    pub sam_account: String,
    pub chap_domain: String,
    pub accepted: bool,
    pub rejected: bool,
    /// Is it of a switch or a wireless network?
    pub elsewhere: bool,
    /// What the request says, until it is answered.
    pub request: Option<Box<LogSession>>,
}

/// The latest Classes.
#[derive(Default)]
pub struct Classes {
    asked: HashMap<u128, Asked>,
    order: VecDeque<u128>,
    /// Requests without a Class, by the client of the NPS: their answer is the next record about this client.
    pending: HashMap<u128, Asked>,
}

impl Classes {
    /// Records a request.
    pub fn asked(&mut self, record: &Record, request: LogSession) {
        let mut asked = Asked::default();
        if record.class.is_empty() {
            fill(&mut asked, record);
            asked.request = Some(Box::new(request));
            if self.pending.len() < REMEMBERED {
                self.pending.insert(client(record), asked);
            }
            return;
        }
        let asked = self.entry(record);
        fill(asked, record);
        asked.request = Some(Box::new(request));
    }

    /// Records an answer, and returns what the request said. A challenge is not the last answer.
    pub fn answered(&mut self, record: &Record) -> Option<Box<LogSession>> {
        let pending = self.pending.remove(&client(record)).filter(|asked| {
            record.user_name.is_empty() || asked.user.is_empty() || asked.user.eq_ignore_ascii_case(&record.user_name)
        });
        if record.class.is_empty() {
            return pending?.request;
        }
        let asked = self.entry(record);
        if let Some(pending) = pending.filter(|_| asked.request.is_none() && asked.user.is_empty()) {
            *asked = Asked { accepted: asked.accepted, rejected: asked.rejected, ..pending };
        }
        fill(asked, record);
        asked.accepted |= record.packet_type == Some(2);
        asked.rejected |= record.packet_type == Some(3);
        if matches!(record.packet_type, Some(2 | 3)) { asked.request.take() } else { None }
    }

    /// What is known about a record's Class.
    pub fn of(&self, record: &Record) -> Option<&Asked> {
        if record.class.is_empty() { None } else { self.asked.get(&digest(&[&record.class])) }
    }

    fn entry(&mut self, record: &Record) -> &mut Asked {
        let class = digest(&[&record.class]);
        if !self.asked.contains_key(&class) {
            self.order.push_back(class);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.asked.remove(&oldest);
            }
        }
        self.asked.entry(class).or_default()
    }
}

fn client(record: &Record) -> u128 {
    digest(&[&record.computer, &record.client_ip_address, &record.client_friendly_name])
}

fn fill(asked: &mut Asked, record: &Record) {
    let fill = |field: &mut String, text: &str| {
        if field.is_empty() {
            text.clone_into(field);
        }
    };
    fill(&mut asked.user, &record.user_name);
    fill(&mut asked.sam_account, &record.sam_account);
    fill(&mut asked.chap_domain, &record.chap_domain);
    asked.elsewhere |= !record.is_of_rras();
}
