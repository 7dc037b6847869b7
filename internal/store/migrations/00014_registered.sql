-- Which partner came by itself, under whatever name it liked.

-- +goose Up

-- Until an operator says yes to it, no file and no command means it by its name.
ALTER TABLE partners ADD COLUMN registered BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE partners SET registered = TRUE
WHERE EXISTS (SELECT 1 FROM audit a WHERE a.object = 'partner:' || partners.id AND a.action = 'partner.created' AND a.actor LIKE 'staff:%')
  AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.object = 'partner:' || partners.id AND a.action = 'partner.approved');

-- +goose Down
ALTER TABLE partners DROP COLUMN registered;
