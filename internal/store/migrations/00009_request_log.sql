-- +goose Up

-- What apps' programs asked and how it was answered, for the people who make
-- them. The key is the only index: an app has ten thousand rows at most, and all
-- that is asked of them is asked of one app.
CREATE TABLE request_log (
  app_id        TEXT    NOT NULL,
  id            BIGINT  NOT NULL,            -- milliseconds since 1970 × 2^20 and a number: the order of time
  began         BIGINT  NOT NULL,
  request_id    TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  endpoint      TEXT    NOT NULL,
  method        TEXT    NOT NULL,
  grant_type    TEXT    NOT NULL,
  status        BIGINT  NOT NULL,
  took          BIGINT  NOT NULL,            -- microseconds
  address       TEXT    NOT NULL,            -- '' where a person's browser asked
  outcome       TEXT    NOT NULL,            -- granted, refused, no_effect
  kind          TEXT    NOT NULL,
  rule          TEXT    NOT NULL,
  facts         TEXT    NOT NULL,            -- JSON
  proved        BOOLEAN NOT NULL,            -- FALSE: a stranger may have made it
  account_id    TEXT    NOT NULL,
  connection_id TEXT    NOT NULL,
  sent          TEXT    NOT NULL,            -- parameters, masked
  more          BIGINT  NOT NULL DEFAULT 0,  -- further ones like it in its minute
  PRIMARY KEY (app_id, id)
);

-- Calls of an app and how many were refused, by day in UTC.
CREATE TABLE request_counts (
  app_id   TEXT   NOT NULL,
  day      BIGINT NOT NULL,                  -- since 1970
  endpoint TEXT   NOT NULL,
  calls    BIGINT NOT NULL,
  errors   BIGINT NOT NULL,
  PRIMARY KEY (app_id, day, endpoint)
);

-- +goose Down
DROP TABLE request_counts;
DROP TABLE request_log;
