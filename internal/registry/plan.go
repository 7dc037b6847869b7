package registry

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// plan turns a declaration and the state of the rows into writes. It goes
// through the kinds of objects so that each finds what it rests on: scopes
// before apps, accounts before users.
type plan struct {
	rules *Rules
	res   *Resources
	state *State
	memo  *memo
	now   time.Time

	writes   Writes
	changes  []*Change
	problems yamlfile.Problems
	trouble  error // the first fault of ours: the random source, the secret key

	scopes     map[string]bool         // the catalogue as it will be
	newUsers   map[string]bool         // ids
	nicknames  map[string]owner        // by folded nickname
	handles    map[string]string       // ids of accounts by folded handle
	accountOf  map[*accountDecl]string // ids; without those that go
	partnerOf  map[*partnerDecl]string
	gone       map[string]bool     // ids of accounts and partners that go
	scopesOf   map[string][]string // of the apps that are declared, as they will be
	eventScope map[string]string   // of event types, as they will be
}

func newPlan(r *Rules, res *Resources, s *State, m *memo) *plan {
	return &plan{
		rules: r, res: res, state: s, memo: m, now: r.Now(), changes: []*Change{},
		scopes: map[string]bool{}, newUsers: map[string]bool{}, nicknames: map[string]owner{}, handles: map[string]string{},
		accountOf: map[*accountDecl]string{}, partnerOf: map[*partnerDecl]string{}, gone: map[string]bool{},
		scopesOf: map[string][]string{}, eventScope: map[string]string{},
	}
}

func (p *plan) make() (*Writes, error) {
	check := checker{loopback: p.rules.InsecureLoopback}
	check.all(p.res)
	for _, step := range []func(){
		p.planScopes, p.planEvents, p.planAccounts, p.planUsers,
		p.planPartners, p.planMembers, p.planApps, p.planAPIs, p.planOperators,
		p.checkDroppedScopes,
	} {
		if step(); p.trouble != nil {
			return nil, p.trouble
		}
	}
	found := findings(p.res.problems, slices.Concat(check.problems, p.problems))
	return &p.writes, found.Err()
}

func (p *plan) report(problem yamlfile.Problem) { p.problems = append(p.problems, problem) }

// fail notes a fault of ours. What follows of the plan is thrown away.
func (p *plan) fail(err error) {
	if p.trouble == nil && err != nil {
		if _, ours := errors.AsType[*postern.Error](err); !ours {
			err = postern.Wrap(postern.ServerError, err)
		}
		p.trouble = err
	}
}

func (p *plan) newID(prefix string) string {
	id, err := postern.NewID(p.rules.Random, prefix)
	p.fail(err)
	return id
}

func (p *plan) newNumber() int64 {
	n, err := postern.NewNumber(p.rules.Random)
	p.fail(err)
	return n
}

// change begins the record of what becomes of an object.
func (p *plan) change(kind, id, name string) *Change {
	c := &Change{Did: Unchanged, Kind: kind, ID: id, Name: name}
	p.changes = append(p.changes, c)
	return c
}

// did closes the record, and has it audited unless nothing happened.
func (p *plan) did(c *Change, did Did) {
	if c.Did = did; did == Created {
		c.Keys = nil // all of it is new
	}
	if did != Unchanged {
		p.writes.Audit = append(p.writes.Audit, Audit{c.Kind + "." + string(did), c.Kind + ":" + c.ID, strings.Join(c.Keys, ", ")})
	}
}

// didPut is did for a row that stays.
func (p *plan) didPut(c *Change, isNew bool) (write bool) {
	switch {
	case isNew:
		p.did(c, Created)
	case len(c.Keys) > 0:
		p.did(c, Changed)
	default:
		return false
	}
	return true
}

// didDrop is did for an object that shall not be there.
func (p *plan) didDrop(kind string, found bool, id, name string, list *[]string) {
	c := p.change(kind, id, name)
	if found {
		*list = append(*list, id)
		p.did(c, Removed)
	}
}

// set brings a field to what is declared, and notes the key if that is news.
func set[T comparable](c *Change, key string, field, given *T) {
	if given != nil && *field != *given {
		*field = *given
		c.Keys = append(c.Keys, key)
	}
}

func setList(c *Change, key string, field, given *[]string) {
	if given != nil && !slices.Equal(*field, *given) {
		*field = *given
		c.Keys = append(c.Keys, key)
	}
}

func setAttributes(c *Change, field *map[string]string, given *map[string]yamlfile.Text) {
	if given == nil {
		return
	}
	as := make(map[string]string, len(*given))
	for name, text := range *given {
		as[name] = string(text)
	}
	if !maps.Equal(*field, as) {
		*field = as
		c.Keys = append(c.Keys, "attributes")
	}
}

// identified is a row that is matched by its id, or by its name.
type identified interface {
	identity() (id, name string, removed bool)
}

func (a Account) identity() (string, string, bool) { return a.ID, a.Name, a.Removed }
func (p Partner) identity() (string, string, bool) { return p.ID, p.Name, p.Removed }
func (a App) identity() (string, string, bool)     { return a.ID, a.Name, a.Removed }
func (a API) identity() (string, string, bool)     { return a.ID, a.Name, false }

// match finds the row that a declaration is about; nil is none. Not ok means
// that there is no telling, which has been reported under the key of the id.
func match[T identified](p *plan, w *where, rows []T, idKey, id, name string, remove bool) (row *T, ok bool) {
	for i := range rows {
		rowID, rowName, removed := rows[i].identity()
		switch {
		case id != "" && id == rowID && removed && remove:
			return nil, true
		case id != "" && id == rowID && removed:
			p.report(w.problem(idKey, "was removed, and an id is never given again; choose another"))
			return nil, false
		case id != "" && id != rowID, id == "" && (name != rowName || removed):
		case row != nil:
			p.report(w.problem("name", "several are called %q; say which one by its %s", name, idKey))
			return nil, false
		default:
			row = &rows[i]
		}
	}
	if row != nil {
		copied := *row
		row = &copied // the state stays as it is
	}
	return row, true
}
