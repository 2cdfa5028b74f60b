-- Version 4. Times are milliseconds since 1970, UTC. Names are folded (upper case) where they stand for an identity.
-- A record and the rows that are made of it are written in one transaction: that is why each is there once. What is
-- written with every call has no index of random keys, because each call would change another page of it.
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The records of each server, in order, since its last checkpoint.
CREATE TABLE journal (
    server TEXT NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (server, number)
);

-- The state after a record: what lies before it is not needed to start.
CREATE TABLE checkpoints (
    server TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (server, number)
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
    framed_ip_address TEXT,
    framed_interface_id TEXT,
    framed_ipv6_prefix TEXT,
    acct_start_time INTEGER NOT NULL,
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
    -- Which log it comes from; it is over, whatever its log says, so that it counts nowhere.
    imported TEXT CHECK (imported IS NULL OR acct_stop_time IS NOT NULL)
);
CREATE INDEX sessions_live ON sessions (nas_identifier) WHERE acct_stop_time IS NULL;
CREATE INDEX sessions_user ON sessions (domain, name, acct_start_time);
CREATE INDEX sessions_start ON sessions (acct_start_time);
CREATE INDEX sessions_imported_address ON sessions (framed_ip_address, acct_start_time) WHERE imported IS NOT NULL;
-- The few sessions of more than a day: what overlaps a period is found without reading all that came before it.
CREATE INDEX sessions_long ON sessions (acct_stop_time) WHERE acct_stop_time - acct_start_time > 86400000;

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    nas_identifier TEXT NOT NULL,
    nas_port_id TEXT NOT NULL,
    device TEXT NOT NULL,
    tunnel_type TEXT,
    start INTEGER NOT NULL,
    stop INTEGER,
    seconds INTEGER,
    input_octets INTEGER,
    output_octets INTEGER
);
CREATE INDEX links_session ON links (session);

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
    decision INTEGER
);
-- What makes a double impossible: one live lease an address, whatever the code does.
CREATE UNIQUE INDEX leases_live ON leases (server, family, number) WHERE ended IS NULL;
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
    PRIMARY KEY (domain, name, day, session)
) WITHOUT ROWID;

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
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
    ledger_away INTEGER NOT NULL,
    facts TEXT NOT NULL,
    groups TEXT NOT NULL,
    counted TEXT
);
CREATE INDEX decisions_session ON decisions (session) WHERE session IS NOT NULL;
CREATE INDEX decisions_denied ON decisions (time) WHERE outcome = 'deny';

-- What came out of order; and events that were lost.
CREATE TABLE anomalies (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    what TEXT NOT NULL,
    details TEXT NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0
);

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

-- How far each spool file has been replayed.
CREATE TABLE spools (spool TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
