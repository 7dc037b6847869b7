-- +goose Up

-- Mails on their way: deleted when sent, dropped after a day in vain.
CREATE TABLE mails (
  id     TEXT   PRIMARY KEY,
  sealed BYTEA  NOT NULL,            -- recipient, subject and text
  at     BIGINT NOT NULL,            -- when it was written
  tries  BIGINT NOT NULL DEFAULT 0,  -- in vain
  due_at BIGINT NOT NULL             -- when to send; who sends it puts it off, so that nobody else does
);
CREATE INDEX mails_due ON mails (due_at);
CREATE INDEX mails_at ON mails (at);

-- The failing_since of the outage that the partner was told of: that it lasts for
-- a day, and that it ended with 410.
ALTER TABLE endpoints ADD COLUMN told_failing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN told_gone BIGINT NOT NULL DEFAULT 0;
CREATE INDEX endpoints_failing ON endpoints (failing_since) WHERE failing_since > 0;

-- +goose Down
DROP INDEX endpoints_failing;
ALTER TABLE endpoints DROP COLUMN told_gone;
ALTER TABLE endpoints DROP COLUMN told_failing;
DROP TABLE mails;
