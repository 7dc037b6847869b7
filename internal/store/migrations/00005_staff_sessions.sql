-- People of partners and of the operator sign in, and invite one another.

-- +goose Up

CREATE TABLE staff_sessions (
  hash         BYTEA  PRIMARY KEY,
  staff_id     TEXT   NOT NULL,
  signed_in_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id);
CREATE INDEX staff_sessions_expires ON staff_sessions (expires_at);

-- As devices are to users.
CREATE TABLE staff_devices (
  hash       BYTEA  PRIMARY KEY,
  staff_id   TEXT   NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX staff_devices_staff ON staff_devices (staff_id);
CREATE INDEX staff_devices_expires ON staff_devices (expires_at);

-- One-time links: to set a new password, or to come to a partner.
CREATE TABLE staff_links (
  id           TEXT   PRIMARY KEY,          -- names it where its secret must not be
  hash         BYTEA  NOT NULL UNIQUE,
  purpose      TEXT   NOT NULL,             -- 'reset', 'invite', 'register'
  staff_id     TEXT   NOT NULL DEFAULT '',  -- reset: whose password
  email        TEXT   NOT NULL DEFAULT '',  -- invite, register: who may use it
  email_folded TEXT   NOT NULL DEFAULT '',
  name         TEXT   NOT NULL DEFAULT '',  -- register: the person's
  partner_id   TEXT   NOT NULL DEFAULT '',  -- invite: to which partner
  company      TEXT   NOT NULL DEFAULT '',  -- register: of which partner to be
  role         TEXT   NOT NULL DEFAULT '',
  made_by      TEXT   NOT NULL,             -- 'operator', 'staff:ID', 'stranger'
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
-- A newer link takes the place of an older one for the same thing.
CREATE UNIQUE INDEX staff_links_reset ON staff_links (staff_id) WHERE purpose = 'reset';
CREATE UNIQUE INDEX staff_links_invite ON staff_links (partner_id, email_folded) WHERE purpose = 'invite';
CREATE UNIQUE INDEX staff_links_register ON staff_links (email_folded) WHERE purpose = 'register';
CREATE INDEX staff_links_expires ON staff_links (expires_at);

-- A partner that registered itself and waits for an operator is switched off
-- since then; 0 for all others. Refusal is why an operator said no.
ALTER TABLE partners ADD COLUMN waiting_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE partners ADD COLUMN refusal TEXT NOT NULL DEFAULT '';
CREATE INDEX partners_waiting ON partners (waiting_since) WHERE waiting_since > 0;
CREATE INDEX partner_members_staff ON partner_members (staff_id);

-- +goose Down
DROP INDEX partner_members_staff;
DROP INDEX partners_waiting;
ALTER TABLE partners DROP COLUMN refusal;
ALTER TABLE partners DROP COLUMN waiting_since;
DROP TABLE staff_links;
DROP TABLE staff_devices;
DROP TABLE staff_sessions;
