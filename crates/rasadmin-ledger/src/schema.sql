-- Version 9. Times are milliseconds since 1970, UTC. Names are folded (upper case) where they stand for an identity.
-- Every row that a record makes has its own key, so that ingesting the same record again changes nothing. Keys of rows
-- that every call writes begin with the time, so that new ones come last in their index.
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- How far each journal was read. The cursor moves in the transaction that writes the rows.
CREATE TABLE journals (
    journal TEXT PRIMARY KEY,
    server TEXT NOT NULL,
    -- The instance that is live at the cursor: records of others change nothing.
    instance TEXT,
    segment TEXT NOT NULL,
    number INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    brought_at INTEGER NOT NULL
);

-- A service instance: the processes that held the server's lock together; they share its token.
CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    started INTEGER NOT NULL,
    last_activity INTEGER NOT NULL
);
CREATE INDEX instances_server ON instances (server);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    acct_session_id TEXT NOT NULL UNIQUE,
    instance INTEGER NOT NULL,
    nas_identifier TEXT NOT NULL,
    domain TEXT,
    name TEXT,
    user_name TEXT NOT NULL,
    handle INTEGER NOT NULL,
    guid TEXT,
    remote_computer TEXT NOT NULL,
    calling_station_id TEXT NOT NULL,
    interface_type TEXT NOT NULL,
    quarantine TEXT NOT NULL,
    tunnel_type TEXT,
    nas_port_id TEXT,
    -- The port's number, which only logs have.
    nas_port INTEGER,
    framed_ip_address TEXT,
    framed_interface_id TEXT,
    framed_ipv6_prefix TEXT,
    acct_start_time INTEGER NOT NULL,
    -- The start as first recorded: acct_start_time is corrected at the end if the time of day was wrong. And the same on
    -- the monotonic clock, which is comparable within one instance.
    began INTEGER,
    began_mono INTEGER,
    -- A returning client took its place in the counts.
    replaced_by TEXT,
    replaced INTEGER,
    replaced_mono INTEGER,
    established INTEGER,
    acct_link_count INTEGER NOT NULL DEFAULT 0,
    acct_stop_time INTEGER,
    acct_session_time INTEGER,
    acct_input_octets INTEGER,
    acct_output_octets INTEGER,
    acct_input_packets INTEGER,
    acct_output_packets INTEGER,
    octets_are TEXT,
    acct_terminate_cause TEXT,
    closed_by TEXT,
    estimated INTEGER,
    billed INTEGER,
    -- The rasadmin service found the connection in RRAS before a call had announced it.
    adopted INTEGER NOT NULL DEFAULT 0,
    -- What was decided last about disconnecting it: 'marked', 'reported' or 'enforced'; when, why, by which rule, the
    -- reason that people gave, and the account that asked.
    disconnect TEXT,
    disconnect_time INTEGER,
    disconnect_why TEXT,
    disconnect_rule TEXT,
    disconnect_reason TEXT,
    disconnect_by TEXT,
    -- It was made anonymous: reading the journal again does not restore names.
    anonymous INTEGER NOT NULL DEFAULT 0,
    -- The log that it comes from. An imported session has ended, whatever its log says, so it counts for nothing.
    imported TEXT CHECK (imported IS NULL OR acct_stop_time IS NOT NULL)
);
CREATE INDEX sessions_live ON sessions (nas_identifier) WHERE acct_stop_time IS NULL;
CREATE INDEX sessions_user ON sessions (domain, name, acct_start_time);
CREATE INDEX sessions_start ON sessions (acct_start_time);
CREATE INDEX sessions_imported_address ON sessions (framed_ip_address, acct_start_time) WHERE imported IS NOT NULL;
-- The few sessions that were to be disconnected.
CREATE INDEX sessions_disconnect ON sessions (disconnect_time) WHERE disconnect IS NOT NULL;
-- The few imported sessions whose end is not known.
CREATE INDEX sessions_no_end ON sessions (acct_start_time) WHERE closed_by = 'end not in the log';
-- The few sessions of more than a day: what overlaps a period is found without reading all that came before it.
CREATE INDEX sessions_long ON sessions (acct_stop_time) WHERE acct_stop_time - acct_start_time > 86400000;

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    session INTEGER NOT NULL,
    nas_identifier TEXT NOT NULL,
    nas_port_id TEXT NOT NULL,
    device TEXT NOT NULL,
    tunnel_type TEXT,
    start INTEGER NOT NULL,
    stop INTEGER,
    seconds INTEGER,
    input_octets INTEGER,
    output_octets INTEGER,
    UNIQUE (session, link)
);
CREATE INDEX links_live ON links (nas_identifier) WHERE stop IS NULL;

CREATE TABLE leases (
    id INTEGER PRIMARY KEY,
    lease TEXT NOT NULL UNIQUE,
    instance INTEGER NOT NULL,
    server TEXT NOT NULL,
    family INTEGER NOT NULL,
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    prefix TEXT,
    domain TEXT,
    name TEXT,
    user_name TEXT NOT NULL,
    port TEXT NOT NULL,
    session INTEGER,
    origin TEXT NOT NULL,
    pool TEXT,
    began INTEGER NOT NULL,
    accepted INTEGER,
    ended INTEGER,
    ended_by TEXT,
    decision INTEGER,
    anonymous INTEGER NOT NULL DEFAULT 0
);
-- Not unique: a duplicate would be a fault in the journal, and must not stop ingestion.
CREATE INDEX leases_live ON leases (server, family, number) WHERE ended IS NULL;
CREATE INDEX leases_session ON leases (session) WHERE session IS NOT NULL;
CREATE INDEX leases_address ON leases (address, began);

-- What each session used on each day of the configured time zone.
CREATE TABLE use (
    session TEXT NOT NULL,
    day TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    input_octets INTEGER NOT NULL,
    output_octets INTEGER NOT NULL,
    PRIMARY KEY (session, day)
) WITHOUT ROWID;
CREATE INDEX use_user ON use (domain, name, day);

-- What a session had received and sent in all at some times, as the rasadmin service saw it. No record has this, so a
-- ledger that is made anew from the journal begins without it.
CREATE TABLE session_octets (
    session INTEGER NOT NULL,
    time INTEGER NOT NULL,
    input_octets INTEGER NOT NULL,
    output_octets INTEGER NOT NULL,
    PRIMARY KEY (session, time)
) WITHOUT ROWID;

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    record TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    session INTEGER,
    stage TEXT NOT NULL,
    domain TEXT,
    name TEXT,
    user_name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rule TEXT,
    reason TEXT,
    refusal TEXT,
    config TEXT NOT NULL,
    facts TEXT NOT NULL,
    groups TEXT NOT NULL,
    counted TEXT NOT NULL,
    repeated INTEGER NOT NULL DEFAULT 0,
    last INTEGER,
    anonymous INTEGER NOT NULL DEFAULT 0,
    -- The log that it comes from: NPS refused it before rasadmin was asked. And why.
    imported TEXT CHECK (imported IS NULL OR outcome = 'deny'),
    reason_code INTEGER
);
CREATE INDEX decisions_session ON decisions (session) WHERE session IS NOT NULL;
CREATE INDEX decisions_imported ON decisions (time) WHERE imported IS NOT NULL;
-- A name has few domains, and people often type it without one.
CREATE INDEX decisions_user ON decisions (name, time);
CREATE INDEX decisions_denied ON decisions (time) WHERE outcome = 'deny';
-- When each user was last denied.
CREATE INDEX decisions_denied_user ON decisions (name, domain, time) WHERE outcome = 'deny';
-- How often each rule has decided, and when it last did, without reading decisions.
CREATE INDEX decisions_rule ON decisions (rule, time, id, outcome, refusal, imported);

-- Anomalies; events that were lost; records that the journal lacks.
CREATE TABLE anomalies (
    id INTEGER PRIMARY KEY,
    effect TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    what TEXT NOT NULL,
    details TEXT NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,
    -- Records that the journal lacks.
    missing INTEGER NOT NULL DEFAULT 0
);

-- Every configuration that was in force: its texts, so that an old decision can be explained.
CREATE TABLE configs (
    hash TEXT PRIMARY KEY,
    first_used INTEGER NOT NULL,
    texts TEXT NOT NULL
) WITHOUT ROWID;

-- Each time that a process of the service read its configuration.
CREATE TABLE loads (
    id INTEGER PRIMARY KEY,
    effect TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    version TEXT NOT NULL,
    config TEXT NOT NULL,
    fault TEXT
);
