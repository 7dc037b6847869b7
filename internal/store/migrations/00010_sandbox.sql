-- Partners' sandboxes: throw-away accounts and people, never mixed with real ones.

-- +goose Up

-- Whose sandbox the account is; '' for real accounts.
ALTER TABLE accounts ADD COLUMN sandbox_of TEXT NOT NULL DEFAULT '';
CREATE INDEX accounts_sandbox ON accounts (sandbox_of) WHERE sandbox_of <> '';

-- The passwords of a sandbox's people, which its partner is shown.
CREATE TABLE sandbox_passwords (
  user_id TEXT  PRIMARY KEY,
  sealed  BYTEA NOT NULL
);

-- Webhook attempts that the partner wants to fail, to see what its program does.
CREATE TABLE sandbox_failures (
  app_id    TEXT   PRIMARY KEY,
  remaining BIGINT NOT NULL -- how many attempts are still to fail
);

-- +goose Down
DROP TABLE sandbox_failures;
DROP TABLE sandbox_passwords;
DROP INDEX accounts_sandbox;
ALTER TABLE accounts DROP COLUMN sandbox_of;
