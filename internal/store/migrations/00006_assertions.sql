-- Apps that prove themselves by what they sign (private_key_jwt, RFC 7523).

-- +goose Up

-- An app's public keys: a JSON Web Key Set (RFC 7517), '' for none.
ALTER TABLE apps ADD COLUMN jwks TEXT NOT NULL DEFAULT '';

-- Assertions that proved a request: each proves one.
CREATE TABLE assertions (
  id         BYTEA  PRIMARY KEY, -- SHA-256 of app and jti
  expires_at BIGINT NOT NULL
);
CREATE INDEX assertions_old ON assertions (expires_at);

-- +goose Down
DROP TABLE assertions;
ALTER TABLE apps DROP COLUMN jwks;
