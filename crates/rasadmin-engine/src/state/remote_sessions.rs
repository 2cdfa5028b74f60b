//! Sessions of other servers: those that are live, and those that ended, so that an end that is reported twice counts
//! once.

use crate::effect::RemoteSession;
use crate::now::Id;
use crate::{Identity, Name};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

type Key = (Name, Id);

#[derive(Clone, Debug, Default)]
pub(super) struct RemoteSessions {
    all: BTreeMap<Key, RemoteSession>,
    live_of: HashMap<Identity, BTreeSet<Key>>,
    /// In the order in which their ends were reported.
    ended: VecDeque<Key>,
}

fn key(remote: &RemoteSession) -> Key {
    (remote.server.clone(), remote.session)
}

impl RemoteSessions {
    /// Sets a session. Returns what was known of it before, or `None` if it had ended and is now reported as live,
    /// because that report comes late.
    pub(super) fn set(&mut self, now: &RemoteSession) -> Option<Option<RemoteSession>> {
        let key = key(now);
        let before = self.all.get(&key).cloned();
        if before.as_ref().is_some_and(|before| !before.live && now.live) {
            return None;
        }
        if let Some(before) = &before
            && let Some(of) = self.live_of.get_mut(&before.user)
        {
            of.remove(&key);
            if of.is_empty() {
                self.live_of.remove(&before.user);
            }
        }
        if now.live {
            self.live_of.entry(now.user.clone()).or_default().insert(key.clone());
        } else if before.as_ref().is_none_or(|before| before.live) {
            self.ended.push_back(key.clone());
        }
        self.all.insert(key, now.clone());
        while self.ended.len() > super::MAX_CLOSED {
            let Some(first) = self.ended.pop_front() else { break };
            self.all.remove(&first);
        }
        Some(before)
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &RemoteSession> {
        self.all.values().filter(|remote| remote.live)
    }

    pub(super) fn live_of(&self, user: &Identity) -> impl Iterator<Item = &RemoteSession> {
        self.live_of.get(user).into_iter().flatten().filter_map(|key| self.all.get(key))
    }

    /// In an order that [`Self::load`] expects.
    pub(super) fn sorted(&self) -> Vec<RemoteSession> {
        let ended = self.ended.iter().filter_map(|key| self.all.get(key));
        self.live().chain(ended).cloned().collect()
    }

    pub(super) fn load(all: Vec<RemoteSession>) -> Self {
        let mut loaded = Self::default();
        for remote in &all {
            loaded.set(remote);
        }
        loaded
    }
}
