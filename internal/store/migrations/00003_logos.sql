-- +goose Up

-- Logos of apps, fetched in the background, re-encoded and served from here, so
-- that a person's browser never asks a partner's host.
CREATE TABLE logos (
  app_id     TEXT   PRIMARY KEY,
  url        TEXT   NOT NULL,            -- what was fetched: another logo_url is fetched anew
  hash       TEXT   NOT NULL DEFAULT '', -- of the image, for its address; '' when there is none
  image      BYTEA,                      -- PNG
  problem    TEXT   NOT NULL DEFAULT '', -- why there is none, in words
  next_at    BIGINT NOT NULL             -- when to look again
);

-- +goose Down
DROP TABLE logos;
