-- What apps are told. An event is written in the transaction that caused it; all
-- that follows is made of it. docs/tables.md tells of each table.

-- +goose Up

-- 1 when an event's deliveries have been made.
ALTER TABLE events ADD COLUMN fanned BIGINT NOT NULL DEFAULT 0;
CREATE INDEX events_new ON events (at) WHERE fanned = 0;
CREATE INDEX events_old ON events (at) WHERE fanned = 1;

-- Events of the operator's product, and test events.
CREATE TABLE published (
  id         TEXT   PRIMARY KEY,
  number     BIGINT NOT NULL,            -- in the order of publishing
  type       TEXT   NOT NULL,
  app_id     TEXT   NOT NULL DEFAULT '', -- '': all whose connection allows it
  account_id TEXT   NOT NULL DEFAULT '',
  user_id    TEXT   NOT NULL DEFAULT '',
  scope      TEXT   NOT NULL DEFAULT '',
  data       TEXT   NOT NULL,
  at         BIGINT NOT NULL,
  fanned     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX published_new ON published (number) WHERE fanned = 0;
CREATE INDEX published_old ON published (at) WHERE fanned = 1;

-- What is known of an app's endpoint, beside its URL and secret, which are the app's.
CREATE TABLE endpoints (
  app_id        TEXT    PRIMARY KEY,
  last          BIGINT  NOT NULL,                       -- position of the latest delivery
  news          BIGINT  NOT NULL DEFAULT 0,             -- grows when the holder should look again
  holder        TEXT    NOT NULL DEFAULT '',            -- the node that works on it
  wake_at       BIGINT  NOT NULL,                       -- when there is something to do
  not_before    BIGINT  NOT NULL DEFAULT 0,             -- the circuit is open until then
  ordered       BOOLEAN NOT NULL DEFAULT TRUE,
  failures      BIGINT  NOT NULL DEFAULT 0,             -- in a row
  failing_since BIGINT  NOT NULL DEFAULT 0,
  success_at    BIGINT  NOT NULL DEFAULT 0,
  gone_url      TEXT    NOT NULL DEFAULT '',            -- the URL that said 410
  old_secret    BYTEA,                                  -- sealed; signs too until old_until
  old_until     BIGINT  NOT NULL DEFAULT 0,
  ed25519       BYTEA                                   -- sealed
);
CREATE INDEX endpoints_wake ON endpoints (wake_at) WHERE holder = '';
CREATE INDEX endpoints_holder ON endpoints (holder);

-- Nodes that hold endpoints. A beat that stands still is a node that is dead.
CREATE TABLE nodes (
  id   TEXT   PRIMARY KEY,
  beat BIGINT NOT NULL
);

-- An event on its way to one app. due_at is 253402300799000 while an earlier one
-- of its lane is open.
CREATE TABLE deliveries (
  app_id   TEXT   NOT NULL,
  position BIGINT NOT NULL, -- in the order in which things happened
  event_id TEXT   NOT NULL, -- of events or published
  lane     TEXT   NOT NULL, -- the connection
  at       BIGINT NOT NULL, -- when it happened
  state    TEXT   NOT NULL, -- 'open', 'delivered', 'parked', 'kept', 'withheld'
  attempts BIGINT NOT NULL DEFAULT 0,
  tries    BIGINT NOT NULL DEFAULT 0, -- attempts since it was made, or sent again
  due_at   BIGINT NOT NULL DEFAULT 0,
  done_at  BIGINT NOT NULL DEFAULT 0,
  why      TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, position),
  UNIQUE (event_id, app_id)
);
CREATE INDEX deliveries_due ON deliveries (app_id, due_at, position) WHERE done_at = 0;
CREATE INDEX deliveries_lane ON deliveries (app_id, lane, position) WHERE done_at = 0;
CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at > 0;

CREATE TABLE attempts (
  app_id   TEXT   NOT NULL,
  position BIGINT NOT NULL,
  number   BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  took     BIGINT NOT NULL,            -- milliseconds
  status   BIGINT NOT NULL DEFAULT 0,  -- 0: there was no answer
  error    TEXT   NOT NULL DEFAULT '',
  reply    TEXT   NOT NULL DEFAULT '', -- the first KiB
  PRIMARY KEY (app_id, position, number)
);
CREATE INDEX attempts_at ON attempts (at);

INSERT INTO counters (name, value) VALUES ('fan_out', 0), ('published', 0); -- fan_out: locked by who makes deliveries

-- +goose Down
DELETE FROM counters WHERE name IN ('fan_out', 'published');
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE nodes;
DROP TABLE endpoints;
DROP TABLE published;
DROP INDEX events_old;
DROP INDEX events_new;
ALTER TABLE events DROP COLUMN fanned;
