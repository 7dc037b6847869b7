package store

import (
	"cmp"
	"context"
	"encoding/json"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

const (
	reviewsOfApps = `
	SELECT a.id, a.review, a.review_at, a.review_reason, a.scope_reasons, a.disabled_by, a.created_at,
	       COALESCE(l.hash, ''), COALESCE(l.problem, ''),
	       COALESCE(o.looks, ''), COALESCE(o.staff, ''), COALESCE(o.at, 0), COALESCE(o.review, ''), COALESCE(o.reason, ''),
	       COALESCE(o.logo_hash, ''), COALESCE(o.logo_problem, '')
	FROM apps a
	LEFT JOIN logos l ON l.app_id = a.id AND l.url = a.logo_url
	LEFT JOIN proposals o ON o.app_id = a.id
	WHERE a.id IN ` + keys
	namesOfApps = `SELECT id, partner_id, name FROM apps WHERE removed_at = 0`

	putReview = `UPDATE apps SET review = $2, review_at = $3, review_reason = $4, scope_reasons = $5, disabled_by = $6 WHERE id = $1`

	putLogoImage = `
	INSERT INTO logos (app_id, url, hash, image, next_at) VALUES ($1, '', $2, $3, $4)
	ON CONFLICT (app_id) DO UPDATE SET url = '', hash = excluded.hash, image = excluded.image, problem = '', next_at = excluded.next_at`
	dropLogoImage = `DELETE FROM logos WHERE app_id = $1 AND url = ''`

	// What was fetched stays for as long as the address does, what was handed in
	// until an address takes its place.
	putProposal = `
	INSERT INTO proposals (app_id, looks, logo, staff, at, review, reason, logo_url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	ON CONFLICT (app_id) DO UPDATE SET looks = excluded.looks,
	  logo = CASE WHEN excluded.logo IS NULL AND proposals.logo_url = excluded.logo_url THEN proposals.logo ELSE excluded.logo END,
	  logo_hash = CASE WHEN proposals.logo_url = excluded.logo_url THEN proposals.logo_hash ELSE '' END,
	  logo_problem = CASE WHEN proposals.logo_url = excluded.logo_url THEN proposals.logo_problem ELSE '' END,
	  logo_next_at = CASE WHEN proposals.logo_url = excluded.logo_url THEN proposals.logo_next_at ELSE 0 END,
	  staff = excluded.staff, at = excluded.at, review = excluded.review, reason = excluded.reason, logo_url = excluded.logo_url`
	dropProposal     = `DELETE FROM proposals WHERE app_id = $1`
	takeProposedLogo = `
	INSERT INTO logos (app_id, url, hash, image, next_at) SELECT app_id, logo_url, $2, logo, $3 FROM proposals WHERE app_id = $1 AND logo IS NOT NULL
	ON CONFLICT (app_id) DO UPDATE SET url = excluded.url, hash = excluded.hash, image = excluded.image, problem = '', next_at = excluded.next_at`
	selectProposedLogo = `SELECT logo FROM proposals WHERE app_id = $1 AND logo IS NOT NULL`

	// waitingApps: new apps and changes of live ones, those that wait longest first.
	waitingApps = `
	SELECT w.id FROM (
	  SELECT id, review_at AS since FROM apps WHERE review = 'waiting' AND removed_at = 0
	  UNION ALL
	  SELECT o.app_id, o.at FROM proposals o JOIN apps a ON a.id = o.app_id WHERE o.review = 'waiting' AND a.review = '' AND a.removed_at = 0) w
	ORDER BY w.since, w.id LIMIT $1`

	ownersOfPartners = `
	SELECT m.partner_id, s.email FROM partner_members m JOIN staff s ON s.id = m.staff_id
	WHERE m.role = 'owner' AND s.disabled = FALSE AND m.partner_id IN ` + keys + ` ORDER BY s.email_folded`
)

// reviews completes apps with where they stand with the operator.
func (r *stateReader) reviews(s *registry.State, index map[string]int, ids []string) {
	r.look(reviewsOfApps, ids, func(row scanner) error {
		var id, review, verdict, reasons, off, hash, problem, looks, staff, state, reason, picture, missing string
		var since, created, proposed int64
		err := row.Scan(&id, &review, &since, &verdict, &reasons, &off, &created, &hash, &problem, &looks, &staff, &proposed, &state, &reason, &picture, &missing)
		if err != nil {
			return err
		}
		a := &s.Apps[index[id]]
		a.Review, a.ReviewedAt, a.Verdict, a.DisabledBy = postern.Review(review), at(since), verdict, off
		a.CreatedAt, a.LogoHash, a.LogoProblem = at(created), hash, problem
		if a.Reasons, err = attributes(reasons); err != nil || looks == "" {
			return err
		}
		a.Proposal = &postern.Proposal{By: staff, At: at(proposed), Review: postern.Review(state), Reason: reason, Picture: picture, Problem: missing}
		return json.Unmarshal([]byte(looks), &a.Proposal.Looks)
	})
}

// names are those of all apps, which a new one must not look like.
func (r *stateReader) names(s *registry.State) {
	r.all(namesOfApps, func(row scanner) error {
		var a postern.App
		err := row.Scan(&a.ID, &a.Partner.ID, &a.Name)
		s.Names = append(s.Names, a)
		return err
	})
}

func (r *stateReader) owners(s *registry.State) {
	var partners []string
	for i := range s.Apps {
		partners = append(partners, s.Apps[i].Partner.ID)
	}
	s.Owners = map[string][]string{}
	r.look(ownersOfPartners, partners, func(row scanner) error {
		var partner, email string
		err := row.Scan(&partner, &email)
		s.Owners[partner] = append(s.Owners[partner], email)
		return err
	})
}

// putReview writes what putApp leaves to it.
func (w *registryWriter) putReview(a registry.App) {
	w.exec(putReview, a.ID, string(a.Review), ms(a.ReviewedAt), a.Verdict, w.attributes(a.Reasons), a.DisabledBy)
}

func (w *registryWriter) putLooks(writes *registry.Writes) {
	for _, l := range writes.Logos {
		if l.Hash == "" {
			w.exec(dropLogoImage, l.AppID)
		} else {
			w.exec(putLogoImage, l.AppID, l.Hash, l.PNG, int64(forever))
		}
	}
	for _, p := range writes.Proposals {
		w.putProposal(p)
	}
}

func (w *registryWriter) putProposal(p registry.Proposed) {
	if p.Proposal == nil {
		w.exec(dropProposal, p.AppID)
		return
	}
	if p.Approved {
		if hash := cmp.Or(p.Proposal.LogoHash, p.Proposal.Picture); hash != "" {
			w.exec(takeProposedLogo, p.AppID, hash, int64(forever))
		}
		w.exec(dropProposal, p.AppID)
		return
	}
	looks, err := json.Marshal(p.Proposal.Looks)
	if w.err == nil {
		w.err = err
	}
	w.exec(putProposal, p.AppID, string(looks), p.PNG, p.Proposal.By, ms(p.Proposal.At), string(p.Proposal.Review), p.Proposal.Reason, p.Proposal.LogoURL)
}

// Waiting implements admin.ConsoleRows.
func (db *DB) Waiting(ctx context.Context, limit int) ([]string, error) {
	return column[string](ctx, read{db}, waitingApps, limit)
}

// ProposedLogo implements portal.AppRows and admin.ConsoleRows.
func (db *DB) ProposedLogo(ctx context.Context, appID string) (png []byte, err error) {
	if err := (read{db}).row(ctx, selectProposedLogo, appID).Scan(&png); err != nil {
		return nil, db.missing(err, "logo")
	}
	return png, nil
}
