-- Version 2: what explains a decision later, what `status` tells, and sessions of other logs.

-- Every configuration that was in force: its texts, so that an old decision can be explained.
CREATE TABLE configs (
    hash TEXT PRIMARY KEY,
    first_used INTEGER NOT NULL,
    texts TEXT NOT NULL
) WITHOUT ROWID;

-- Each time that a process of the service has read its configuration.
CREATE TABLE loads (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    version TEXT NOT NULL,
    config TEXT NOT NULL,
    fault TEXT
);

-- What the ledger had said; NULL while it was away.
ALTER TABLE decisions ADD COLUMN counted TEXT;

-- Which log it comes from; it is over, whatever its log says, so that it counts nowhere.
ALTER TABLE sessions ADD COLUMN imported TEXT CHECK (imported IS NULL OR acct_stop_time IS NOT NULL);
CREATE INDEX sessions_imported_address ON sessions (framed_ip_address, acct_start_time) WHERE imported IS NOT NULL;

-- The few sessions of more than a day: what overlaps a period is found without reading all that came before it.
CREATE INDEX sessions_long ON sessions (acct_stop_time) WHERE acct_stop_time - acct_start_time > 86400000;
