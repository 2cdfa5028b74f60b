//! Attempts that NPS refused.

use super::super::item::{LogItem, LogRefusal, describe, first, name, new_session};
use super::super::key::{digest, key};
use super::super::record::Record;
use super::Joiner;

impl Joiner {
    /// Handles an Access-Reject. Most of what is known about the attempt is in its request.
    pub(super) fn refusal(&mut self, record: &Record, out: &mut Vec<LogItem>) -> Result<(), String> {
        let (request, elsewhere) = self.classes.answered(record);
        if elsewhere {
            self.counts.elsewhere += 1;
            return Ok(());
        }
        let time = record.time.ok_or("an Access-Reject without a time")?;
        // Without a Class, the answer alone may not tell two attempts of the same second apart.
        let told_by_request = request.is_some() && record.unique_class().is_empty();
        let mut session = request.map_or_else(|| new_session(record, time, self.format), |request| *request);
        describe(&mut session, record, self.classes.of(record));
        let past = &mut session.past;
        (past.start, past.last_seen) = (time, time);
        let user = first([&record.user_name, &record.sam_account, &record.fully_qualified_name]);
        let nps = name(record, &record.computer);
        let alone = key(&nps, record.unique_class(), &format!("refused {user}"), time);
        past.key = if told_by_request {
            let user = first([user, past.user.as_str(), ""]);
            key(&nps, "", &format!("refused {user} on {}", past.server.folded().as_str()), time)
        } else {
            alone.clone()
        };
        let [own, alone] = [&past.key, &alone].map(|key| digest(&["refused", key]));
        // A repeated answer finds its request taken.
        if self.remembered.has_ended(own) || (!told_by_request && self.remembered.has_ended(alone)) {
            self.counts.repeated += 1;
            return Ok(());
        }
        self.remembered.ended(own, time);
        self.remembered.ended(alone, time);
        self.counts.rejects += 1;
        out.push(LogItem::Refusal(LogRefusal { session, reason_code: record.reason_code }));
        Ok(())
    }
}
