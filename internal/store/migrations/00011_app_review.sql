-- Apps that partners register themselves, and their review by the operator.

-- +goose Up

-- '' is live; 'waiting' and 'rejected' work in the partner's sandbox alone.
ALTER TABLE apps ADD COLUMN review TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN review_at BIGINT NOT NULL DEFAULT 0;      -- since when it is so
ALTER TABLE apps ADD COLUMN review_reason TEXT NOT NULL DEFAULT '';   -- of a rejection
ALTER TABLE apps ADD COLUMN scope_reasons TEXT NOT NULL DEFAULT '';   -- why the app needs each scope: JSON
ALTER TABLE apps ADD COLUMN disabled_by TEXT NOT NULL DEFAULT '';     -- who switched it off last; '' is the operator
CREATE INDEX apps_review ON apps (review_at) WHERE review = 'waiting';

-- A change of what people see of a live app, until the operator approves it.
CREATE TABLE proposals (
  app_id TEXT   PRIMARY KEY,
  looks  TEXT   NOT NULL,            -- as they would be: JSON
  logo   BYTEA,                      -- an image that was handed in
  staff  TEXT   NOT NULL,            -- whose wish it is
  at     BIGINT NOT NULL,
  review TEXT   NOT NULL,            -- 'waiting', 'rejected'
  reason TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX proposals_review ON proposals (at) WHERE review = 'waiting';

ALTER TABLE app_secrets ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX audit_object ON audit (object, at);
CREATE INDEX audit_actor ON audit (actor, at);

-- +goose Down
DROP INDEX audit_actor;
DROP INDEX audit_object;
ALTER TABLE app_secrets DROP COLUMN last_used_at;
DROP TABLE proposals;
DROP INDEX apps_review;
ALTER TABLE apps DROP COLUMN disabled_by;
ALTER TABLE apps DROP COLUMN scope_reasons;
ALTER TABLE apps DROP COLUMN review_reason;
ALTER TABLE apps DROP COLUMN review_at;
ALTER TABLE apps DROP COLUMN review;
