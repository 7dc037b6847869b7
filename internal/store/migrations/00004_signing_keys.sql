-- Access tokens that APIs can read themselves (RFC 9068), and the keys that sign them.

-- +goose Up
CREATE TABLE signing_keys (
  number     BIGINT PRIMARY KEY,   -- in the order of making; the highest whose time has come signs
  id         TEXT   NOT NULL UNIQUE,
  public     TEXT   NOT NULL,      -- a JSON Web Key
  sealed     BYTEA  NOT NULL,      -- the private half
  created_at BIGINT NOT NULL,
  signs_at   BIGINT NOT NULL,
  ends_at    BIGINT NOT NULL       -- when it leaves the key set
);
-- '' (opaque) or 'jwt'
ALTER TABLE apps ADD COLUMN access_token_format TEXT NOT NULL DEFAULT '';
-- Of a rotated refresh token: what the access token beside its successor says,
-- where that one is signed.
ALTER TABLE tokens ADD COLUMN said TEXT;

-- +goose Down
ALTER TABLE tokens DROP COLUMN said;
ALTER TABLE apps DROP COLUMN access_token_format;
DROP TABLE signing_keys;
