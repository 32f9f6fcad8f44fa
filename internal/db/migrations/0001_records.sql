-- What a server knows. A record is one JSON document in "data", as package fleet
-- has it; the other columns are what lists are filtered, sorted and found by. Times
-- are microseconds since 1970, 0 for none. This is SQLite's SQL; package db says
-- what PostgreSQL calls the types.

-- Lists are filtered, searched and sorted here; what is on a page is read from the
-- documents, which are ten times as large.
CREATE TABLE machines (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,      -- lower case
  hostname TEXT NOT NULL,             -- lower case
  state    TEXT NOT NULL,
  maker    TEXT NOT NULL,
  model    TEXT NOT NULL,
  serial   TEXT NOT NULL,
  boot     TEXT NOT NULL,
  first    INTEGER NOT NULL,
  addr     TEXT NOT NULL,             -- not in the document: it changes all the time
  seen     INTEGER NOT NULL,          -- nor is this
  words    TEXT NOT NULL              -- what is searched, lower case
);
CREATE TABLE machine_documents (
  machine TEXT PRIMARY KEY REFERENCES machines (id) ON DELETE CASCADE,
  data    TEXT NOT NULL
);
CREATE INDEX machines_hostname ON machines (hostname);
CREATE INDEX machines_state ON machines (state, boot, seen);

-- In what machines may be alike: fleet.Identity.Keys.
CREATE TABLE machine_keys (
  machine_key TEXT NOT NULL,
  machine     TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  PRIMARY KEY (machine_key, machine)
);
CREATE INDEX machine_keys_machine ON machine_keys (machine);

CREATE TABLE machine_groups (
  name TEXT PRIMARY KEY,
  data TEXT NOT NULL
);
CREATE TABLE members (
  machine_group TEXT NOT NULL REFERENCES machine_groups (name) ON DELETE CASCADE,
  machine       TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  PRIMARY KEY (machine_group, machine)
);
CREATE INDEX members_machine ON members (machine);

CREATE TABLE rules (
  id   TEXT PRIMARY KEY,
  made INTEGER NOT NULL,
  data TEXT NOT NULL
);

CREATE TABLE batches (
  id   TEXT PRIMARY KEY,
  made INTEGER NOT NULL,
  live INTEGER NOT NULL,              -- 1: it has not ended
  data TEXT NOT NULL
);
CREATE INDEX batches_made ON batches (made, id);
CREATE INDEX batches_live ON batches (live, made, id);

CREATE TABLE jobs (
  id         TEXT PRIMARY KEY,
  batch      TEXT NOT NULL,
  machine    TEXT NOT NULL,
  place      INTEGER NOT NULL,        -- in the batch
  state      TEXT NOT NULL,
  live       INTEGER NOT NULL,        -- 1: it has not ended
  made       INTEGER NOT NULL,
  due        INTEGER NOT NULL,        -- fleet.Job.Due
  written    INTEGER NOT NULL,        -- bytes
  token_hash BLOB,
  data       TEXT NOT NULL
);
CREATE INDEX jobs_batch ON jobs (batch, place, id);
CREATE INDEX jobs_machine ON jobs (machine, made, id);
CREATE INDEX jobs_made ON jobs (made, id);
CREATE INDEX jobs_live ON jobs (live, machine);
CREATE INDEX jobs_state ON jobs (state);
CREATE INDEX jobs_due ON jobs (due) WHERE due > 0;

CREATE TABLE job_log (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  job     TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  line    TEXT NOT NULL
);
CREATE INDEX job_log_job ON job_log (job, id);

CREATE TABLE users (
  name TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE TABLE sessions (
  id      TEXT PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  owner   TEXT NOT NULL,              -- a user
  made    INTEGER NOT NULL,
  seen    INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  data    TEXT NOT NULL
);
CREATE INDEX sessions_owner ON sessions (owner);
CREATE TABLE tokens (
  id   TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  made INTEGER NOT NULL,
  data TEXT NOT NULL
);

CREATE TABLE agent_sessions (
  machine TEXT PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  data    TEXT NOT NULL
);
CREATE TABLE enrol_secrets (
  hash    BLOB PRIMARY KEY,
  expires INTEGER NOT NULL,
  data    TEXT NOT NULL
);
CREATE INDEX enrol_secrets_expires ON enrol_secrets (expires);

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  search TEXT NOT NULL,               -- lower case
  data   TEXT NOT NULL
);
CREATE TABLE boot_records (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  search TEXT NOT NULL,               -- lower case
  data   TEXT NOT NULL
);

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE image_notes (
  image TEXT PRIMARY KEY,
  data  TEXT NOT NULL
);
