-- What is believed, and on whose word: addresses of people, pictures that were
-- looked at, requests that anybody can make.

-- +goose Up

-- Who says that the e-mail is the person's: 'operator' (a file, or a link that the
-- operator handed over), 'mail' (a link that was mailed there); '' is nobody but,
-- perhaps, an owner of their partner's team, who could open a link for any address
-- before this version.
ALTER TABLE staff ADD COLUMN vouched_by TEXT NOT NULL DEFAULT '';
UPDATE staff SET vouched_by = 'operator' WHERE realm = 'operator' OR password_hash = '' OR declared_password <> '';
-- What using a link says of the e-mail. One that says nothing cannot be used.
ALTER TABLE staff_links ADD COLUMN vouches TEXT NOT NULL DEFAULT '';
UPDATE staff_links SET vouches = 'operator' WHERE made_by NOT LIKE 'staff:%';

-- The picture behind a proposed logo_url, fetched for the operator to look at.
-- What was fetched stays as it is. An image that was handed in has no logo_url.
ALTER TABLE proposals ADD COLUMN logo_url TEXT NOT NULL DEFAULT '';
ALTER TABLE proposals ADD COLUMN logo_hash TEXT NOT NULL DEFAULT '';     -- of what was fetched
ALTER TABLE proposals ADD COLUMN logo_problem TEXT NOT NULL DEFAULT '';  -- why there is none, in words
ALTER TABLE proposals ADD COLUMN logo_next_at BIGINT NOT NULL DEFAULT 0; -- when to look again

-- Refused requests that nothing proves to be the app's own; neither calls nor errors.
ALTER TABLE request_counts ADD COLUMN strangers BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE request_counts DROP COLUMN strangers;
ALTER TABLE proposals DROP COLUMN logo_next_at;
ALTER TABLE proposals DROP COLUMN logo_problem;
ALTER TABLE proposals DROP COLUMN logo_hash;
ALTER TABLE proposals DROP COLUMN logo_url;
ALTER TABLE staff_links DROP COLUMN vouches;
ALTER TABLE staff DROP COLUMN vouched_by;
