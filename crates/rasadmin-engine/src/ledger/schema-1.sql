-- Version 1. Times are milliseconds since 1970, UTC. Names are folded (upper case) where they stand for an identity.
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

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
    live_links INTEGER NOT NULL DEFAULT 0,
    acct_link_count INTEGER NOT NULL DEFAULT 0,
    links_changed INTEGER NOT NULL,
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
    billed INTEGER
);
CREATE INDEX sessions_live_handle ON sessions (nas_identifier, handle) WHERE acct_stop_time IS NULL;
CREATE INDEX sessions_live_guid ON sessions (nas_identifier, guid) WHERE acct_stop_time IS NULL AND guid IS NOT NULL;
CREATE INDEX sessions_live_port ON sessions (nas_identifier, nas_port_id) WHERE acct_stop_time IS NULL AND nas_port_id IS NOT NULL;
CREATE INDEX sessions_live_user ON sessions (domain, name) WHERE acct_stop_time IS NULL;
CREATE INDEX sessions_live_links ON sessions (nas_identifier, links_changed) WHERE acct_stop_time IS NULL AND live_links = 0;
CREATE INDEX sessions_user ON sessions (domain, name, acct_start_time);
CREATE INDEX sessions_start ON sessions (acct_start_time);

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    session INTEGER,
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
CREATE INDEX links_live_port ON links (nas_identifier, nas_port_id) WHERE stop IS NULL;
CREATE INDEX links_session ON links (session);

CREATE TABLE leases (
    id INTEGER PRIMARY KEY,
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
    release_due INTEGER NOT NULL,
    idle_since INTEGER,
    decision INTEGER
);
-- What makes a double impossible: one live lease an address, whatever the code does.
CREATE UNIQUE INDEX leases_live ON leases (server, family, number) WHERE ended IS NULL;
CREATE INDEX leases_live_port ON leases (server, port) WHERE ended IS NULL;
CREATE INDEX leases_live_user ON leases (domain, name) WHERE ended IS NULL;
CREATE INDEX leases_idle ON leases (server, idle_since) WHERE ended IS NULL AND idle_since IS NOT NULL;
CREATE INDEX leases_session ON leases (session) WHERE session IS NOT NULL;
CREATE INDEX leases_due ON leases (server, port, number) WHERE release_due = 1;
CREATE INDEX leases_address ON leases (address, began);

-- Every address that was ever given: where it stands now.
CREATE TABLE addresses (
    server TEXT NOT NULL,
    family INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tag INTEGER,
    domain TEXT,
    name TEXT,
    lease INTEGER,
    free_since INTEGER,
    PRIMARY KEY (server, family, number)
) WITHOUT ROWID;
CREATE INDEX addresses_free ON addresses (tag, free_since) WHERE lease IS NULL;
CREATE INDEX addresses_user ON addresses (domain, name, server, family, free_since) WHERE lease IS NULL;

-- A pool in one shape; `cursor` is the first number that was never tried, NULL when all were.
CREATE TABLE pools (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    family INTEGER NOT NULL,
    shape TEXT NOT NULL,
    cursor INTEGER,
    UNIQUE (server, name, shape)
);

-- Past use, a row a user and day of the configured time zone.
CREATE TABLE usage (
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    input_octets INTEGER NOT NULL,
    output_octets INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    PRIMARY KEY (domain, name, day)
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
    config TEXT NOT NULL,
    ledger_away INTEGER NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX decisions_session ON decisions (session) WHERE session IS NOT NULL;
CREATE INDEX decisions_denied ON decisions (time) WHERE outcome = 'deny';

-- What came out of order, and changed nothing.
CREATE TABLE oddities (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    server TEXT NOT NULL,
    instance INTEGER NOT NULL,
    what TEXT NOT NULL,
    details TEXT NOT NULL
);

-- How far each spool file has been replayed.
CREATE TABLE spools (spool TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
