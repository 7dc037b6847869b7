package registry

import (
	"context"
	"slices"

	"postern.dev/postern/internal/yamlfile"
)

// Apply brings the rows to what is declared and tells what it did. Doing it
// again changes nothing. When anything is wrong, the error is of type
// yamlfile.Problems, holds every finding with its place, and nothing was
// written. With a dry run nothing is written in any case.
func (r *Rules) Apply(ctx context.Context, res *Resources, dryRun bool) (*Result, error) {
	mentions := res.mentions()
	memo := &memo{r, map[ofSecret]string{}, map[ofSecret]bool{}}
	var p *plan
	decide := func(s *State) (*Writes, error) {
		p = newPlan(r, res, s, memo)
		return p.make()
	}
	// The first look finds what is wrong, and does the slow work of hashing
	// passwords outside the transaction; the second one counts.
	state, err := r.Store.Registry(ctx, mentions)
	if err == nil {
		_, err = decide(state)
	}
	if err == nil && !dryRun {
		err = r.Store.ApplyRegistry(ctx, mentions, r.Now(), decide)
	}
	if err != nil {
		return nil, err
	}
	return p.told(dryRun), nil
}

// told is the result for whoever asked. What a dry run made up is not told: an
// apply would make other secrets.
func (p *plan) told(dryRun bool) *Result {
	if dryRun {
		for _, c := range p.changes {
			for i := range c.Secrets {
				c.Secrets[i].Secret = ""
			}
		}
	}
	return &Result{DryRun: dryRun, Changes: p.changes}
}

// findings are all problems in the order of the files. Where a value could not
// even be read, what else would be said of it is left out.
func findings(form, found yamlfile.Problems) yamlfile.Problems {
	type value struct {
		at  yamlfile.Position
		key string
	}
	unread := map[value]bool{}
	for _, f := range form {
		unread[value{f.Position, f.Key}] = true
	}
	all := slices.Clone(form)
	for _, f := range found {
		if !unread[value{f.Position, f.Key}] {
			all = append(all, f)
		}
	}
	all.Sort()
	return all
}
