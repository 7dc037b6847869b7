-- One schema for both engines: TEXT, BIGINT (milliseconds since 1970, UTC), BOOLEAN, BYTEA.
-- 0 means "not yet" for a time that something happened at; 253402300799000 (the end of
-- the year 9999) means "never" for a time that something ends at. docs/tables.md tells of each table.

-- +goose Up

-- Who is asked ---------------------------------------------------------------

CREATE TABLE accounts (
  id         TEXT    PRIMARY KEY,
  handle     TEXT    NOT NULL DEFAULT '',
  name       TEXT    NOT NULL,
  number     BIGINT  NOT NULL UNIQUE,
  attributes TEXT    NOT NULL DEFAULT '{}',
  disabled   BOOLEAN NOT NULL DEFAULT FALSE,
  removed_at BIGINT  NOT NULL DEFAULT 0,
  created_at BIGINT  NOT NULL
);
CREATE INDEX accounts_name ON accounts (name);
CREATE INDEX accounts_handle ON accounts (lower(handle)) WHERE handle <> '';

CREATE TABLE users (
  id                TEXT    PRIMARY KEY,
  email             TEXT    NOT NULL,
  email_folded      TEXT    NOT NULL,
  name              TEXT    NOT NULL DEFAULT '',
  number            BIGINT  NOT NULL UNIQUE,
  nickname          TEXT    NOT NULL,
  wire_nickname     TEXT    NOT NULL DEFAULT '',
  attributes        TEXT    NOT NULL DEFAULT '{}',
  password_hash     TEXT    NOT NULL DEFAULT '',
  declared_password TEXT    NOT NULL DEFAULT '',
  disabled          BOOLEAN NOT NULL DEFAULT FALSE,
  removed_at        BIGINT  NOT NULL DEFAULT 0,
  created_at        BIGINT  NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email_folded) WHERE removed_at = 0;

-- Every nickname that was ever somebody's, so that none comes to name another person.
CREATE TABLE nicknames (
  folded  TEXT PRIMARY KEY,
  user_id TEXT NOT NULL
);

CREATE TABLE memberships (
  account_id TEXT   NOT NULL,
  user_id    TEXT   NOT NULL,
  role       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- An account's own id on the wires of a dialect (ids.account in its file).
CREATE TABLE account_ids (
  dialect    TEXT NOT NULL,
  account_id TEXT NOT NULL,
  wire_id    TEXT NOT NULL,
  PRIMARY KEY (dialect, account_id),
  UNIQUE (dialect, wire_id)
);

CREATE TABLE sessions (
  hash         BYTEA  PRIMARY KEY,
  user_id      TEXT   NOT NULL,
  signed_in_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Browsers that a person has signed in with before; guesses from elsewhere cannot lock these out.
CREATE TABLE devices (
  hash       BYTEA  PRIMARY KEY,
  user_id    TEXT   NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX devices_user ON devices (user_id);
CREATE INDEX devices_expires ON devices (expires_at);

CREATE TABLE resets (
  hash       BYTEA  PRIMARY KEY,
  user_id    TEXT   NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX resets_expires ON resets (expires_at);

-- Who asks -------------------------------------------------------------------

CREATE TABLE partners (
  id         TEXT    PRIMARY KEY,
  name       TEXT    NOT NULL,
  disabled   BOOLEAN NOT NULL DEFAULT FALSE,
  removed_at BIGINT  NOT NULL DEFAULT 0,
  created_at BIGINT  NOT NULL
);

-- People of partners and operators: other doors than users', so other rows.
CREATE TABLE staff (
  id                TEXT    PRIMARY KEY,
  realm             TEXT    NOT NULL, -- 'partner' or 'operator'
  email             TEXT    NOT NULL,
  email_folded      TEXT    NOT NULL,
  name              TEXT    NOT NULL DEFAULT '',
  password_hash     TEXT    NOT NULL DEFAULT '',
  declared_password TEXT    NOT NULL DEFAULT '',
  disabled          BOOLEAN NOT NULL DEFAULT FALSE,
  created_at        BIGINT  NOT NULL,
  UNIQUE (realm, email_folded)
);

CREATE TABLE partner_members (
  partner_id TEXT   NOT NULL,
  staff_id   TEXT   NOT NULL,
  role       TEXT   NOT NULL, -- 'owner', 'developer', 'viewer'
  created_at BIGINT NOT NULL,
  PRIMARY KEY (partner_id, staff_id)
);

CREATE TABLE apps (
  id             TEXT    PRIMARY KEY, -- the client_id
  partner_id     TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  description    TEXT    NOT NULL DEFAULT '',
  url            TEXT    NOT NULL DEFAULT '',
  logo_url       TEXT    NOT NULL DEFAULT '',
  dialect        TEXT    NOT NULL,
  also           TEXT    NOT NULL DEFAULT '', -- lists are joined by spaces
  level          TEXT    NOT NULL,
  attributes     TEXT    NOT NULL DEFAULT '{}',
  redirect_urls  TEXT    NOT NULL DEFAULT '',
  webhook_url    TEXT    NOT NULL DEFAULT '',
  webhook_secret BYTEA,                        -- sealed
  scopes         TEXT    NOT NULL DEFAULT '',
  default_scopes TEXT    NOT NULL DEFAULT '',
  grants         TEXT    NOT NULL,
  connect_roles  TEXT    NOT NULL DEFAULT '',
  iss            TEXT    NOT NULL DEFAULT '',  -- '', 'true', 'false'
  public         BOOLEAN NOT NULL DEFAULT FALSE,
  disabled       BOOLEAN NOT NULL DEFAULT FALSE,
  removed_at     BIGINT  NOT NULL DEFAULT 0,
  created_at     BIGINT  NOT NULL,
  changed_at     BIGINT  NOT NULL DEFAULT 0,   -- when name, description, logo, site or redirect URLs last changed
  secrets_digest TEXT    NOT NULL DEFAULT ''   -- of the secrets as a file declared them last
);
CREATE INDEX apps_partner ON apps (partner_id);

CREATE TABLE app_secrets (
  id         TEXT   PRIMARY KEY,
  app_id     TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  hash       BYTEA  NOT NULL,
  hint       TEXT   NOT NULL DEFAULT '',
  sealed     BYTEA,           -- the secret, for wires that sign with it; NULL for all others
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX app_secrets_app ON app_secrets (app_id);
CREATE INDEX app_secrets_hash ON app_secrets (hash); -- wires whose requests name their client by its secret

-- An app's attributes, by which some wires know it (is: app.attr.X in a dialect's file).
CREATE TABLE app_ids (
  attribute TEXT NOT NULL,
  value     TEXT NOT NULL,
  app_id    TEXT NOT NULL,
  PRIMARY KEY (attribute, value, app_id)
);
CREATE INDEX app_ids_app ON app_ids (app_id);

CREATE TABLE apis (
  id          TEXT    PRIMARY KEY,
  name        TEXT    NOT NULL,
  secret_hash BYTEA   NOT NULL,
  disabled    BOOLEAN NOT NULL DEFAULT FALSE,
  created_at  BIGINT  NOT NULL
);

CREATE TABLE scopes (
  name        TEXT   PRIMARY KEY,
  description TEXT   NOT NULL,
  position    BIGINT NOT NULL
);

CREATE TABLE event_types (
  type        TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  scope       TEXT NOT NULL DEFAULT ''
);

CREATE TABLE operator_tokens (
  id         TEXT   PRIMARY KEY,
  name       TEXT   NOT NULL,
  hash       BYTEA  NOT NULL UNIQUE,
  rights     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0
);

-- What was asked, granted and ended --------------------------------------------

CREATE TABLE tickets (
  hash        BYTEA   PRIMARY KEY,
  browser     BYTEA   NOT NULL,
  app_id      TEXT    NOT NULL,
  user_id     TEXT    NOT NULL DEFAULT '',
  request     TEXT    NOT NULL, -- the authorize request as JSON
  created_at  BIGINT  NOT NULL,
  expires_at  BIGINT  NOT NULL,
  answered_at BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX tickets_app ON tickets (app_id) WHERE answered_at = 0;
CREATE INDEX tickets_expires ON tickets (expires_at);

-- A code, and after its redemption the family of tokens born of it.
CREATE TABLE codes (
  hash          BYTEA   PRIMARY KEY,
  dialect       TEXT    NOT NULL,
  app_id        TEXT    NOT NULL,
  account_id    TEXT    NOT NULL,
  user_id       TEXT    NOT NULL, -- who approved
  level         TEXT    NOT NULL,
  redirect_uri  TEXT    NOT NULL,
  sent_uri      BOOLEAN NOT NULL,
  challenge     TEXT    NOT NULL DEFAULT '',
  scopes        TEXT    NOT NULL DEFAULT '',
  second_scopes TEXT    NOT NULL DEFAULT '', -- of the second token, whose family is a row of its own
  kept          TEXT    NOT NULL DEFAULT '',
  created_at    BIGINT  NOT NULL,
  expires_at    BIGINT  NOT NULL,
  spent_at      BIGINT  NOT NULL DEFAULT 0,
  outcome       TEXT    NOT NULL DEFAULT '', -- 'redeemed', 'burned', 'void'
  connection_id TEXT,
  live_until    BIGINT  NOT NULL,            -- when the last token of the family dies of age
  last_used_at  BIGINT  NOT NULL DEFAULT 0,
  ended_at      BIGINT  NOT NULL DEFAULT 0,
  end_reason    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX codes_pending ON codes (account_id, app_id) WHERE spent_at = 0;
CREATE INDEX codes_connection ON codes (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX codes_live_until ON codes (live_until);

CREATE TABLE tokens (
  hash       BYTEA  PRIMARY KEY,
  kind       TEXT   NOT NULL, -- 'access', 'refresh'
  family     BYTEA,           -- codes.hash; NULL for client credentials
  app_id     TEXT   NOT NULL,
  dialect    TEXT   NOT NULL,
  scopes     TEXT   NOT NULL DEFAULT '',
  issued_at  BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0,
  rotated_at BIGINT NOT NULL DEFAULT 0,
  salt       BYTEA,           -- of a rotated refresh token: derives its successor
  successor  BYTEA            -- hash of the successor
);
CREATE INDEX tokens_family ON tokens (family) WHERE expires_at = 253402300799000;
CREATE INDEX tokens_expires ON tokens (expires_at) WHERE expires_at < 253402300799000;

CREATE TABLE connections (
  id           TEXT   PRIMARY KEY,
  number       BIGINT NOT NULL UNIQUE,
  app_id       TEXT   NOT NULL,
  account_id   TEXT   NOT NULL,
  user_id      TEXT   NOT NULL DEFAULT '', -- '' at account level
  scopes       TEXT   NOT NULL DEFAULT '',
  created_at   BIGINT NOT NULL,
  created_by   TEXT   NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  sequence     BIGINT NOT NULL,            -- of its latest event
  ended_at     BIGINT NOT NULL DEFAULT 0,
  end_reason   TEXT   NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX connections_live ON connections (account_id, app_id, user_id) WHERE ended_at = 0;
CREATE INDEX connections_app ON connections (app_id);

-- An approval that need not be asked for again (consent: remembered).
CREATE TABLE consents (
  account_id TEXT   NOT NULL,
  app_id     TEXT   NOT NULL,
  user_id    TEXT   NOT NULL,
  scopes     TEXT   NOT NULL,
  second     TEXT   NOT NULL DEFAULT '', -- scopes of the second token
  given_at   BIGINT NOT NULL,
  PRIMARY KEY (account_id, app_id, user_id)
);

-- What this installation is: the proof of its secret key.
CREATE TABLE installation (
  name  TEXT  PRIMARY KEY,
  value BYTEA NOT NULL
);

-- What happened ------------------------------------------------------------------

CREATE TABLE events (
  id            TEXT   PRIMARY KEY, -- the webhook-id
  type          TEXT   NOT NULL,
  app_id        TEXT   NOT NULL,
  connection_id TEXT   NOT NULL,
  sequence      BIGINT NOT NULL,
  account_id    TEXT   NOT NULL,
  user_id       TEXT   NOT NULL DEFAULT '',
  user_nickname TEXT   NOT NULL DEFAULT '',
  reason        TEXT   NOT NULL DEFAULT '',
  changes       TEXT   NOT NULL DEFAULT '',
  at            BIGINT NOT NULL,
  UNIQUE (connection_id, sequence)
);

-- The change sequence: what a memory of tokens must forget. Numbered without
-- gaps in the order of commits, because the counter's row is locked to the end
-- of the transaction.
CREATE TABLE changes (
  seq  BIGINT PRIMARY KEY,
  kind TEXT   NOT NULL, -- 'token', 'family', 'connection', 'app', 'account', 'user', 'all'
  key  TEXT   NOT NULL, -- hash in hex, or id
  at   BIGINT NOT NULL
);
CREATE TABLE counters (
  name  TEXT   PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('changes', 0), ('registry', 0); -- registry: locked by an apply

CREATE TABLE audit (
  id      TEXT   PRIMARY KEY,
  at      BIGINT NOT NULL,
  actor   TEXT   NOT NULL, -- 'user:ID', 'app:ID', 'operator', 'postern'
  action  TEXT   NOT NULL,
  object  TEXT   NOT NULL,
  detail  TEXT   NOT NULL DEFAULT '',
  address TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX audit_at ON audit (at);

-- Counts of failures, shared by all nodes and kept over restarts.
CREATE TABLE throttles (
  name       TEXT   PRIMARY KEY,
  failures   BIGINT NOT NULL,
  since      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX throttles_expires ON throttles (expires_at);

-- +goose Down
DROP TABLE throttles;
DROP TABLE installation;
DROP TABLE audit;
DROP TABLE counters;
DROP TABLE changes;
DROP TABLE events;
DROP TABLE consents;
DROP TABLE connections;
DROP TABLE tokens;
DROP TABLE codes;
DROP TABLE tickets;
DROP TABLE operator_tokens;
DROP TABLE event_types;
DROP TABLE scopes;
DROP TABLE apis;
DROP TABLE app_ids;
DROP TABLE app_secrets;
DROP TABLE apps;
DROP TABLE partner_members;
DROP TABLE staff;
DROP TABLE partners;
DROP TABLE resets;
DROP TABLE devices;
DROP TABLE sessions;
DROP TABLE account_ids;
DROP TABLE memberships;
DROP TABLE nicknames;
DROP TABLE users;
DROP TABLE accounts;
