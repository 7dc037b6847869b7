package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"postern.dev/postern/internal/routes"
)

// mostRules bounds what is read of the rules for routes.
const mostRules = 16 << 20

// fetchRoutes brings the rules for routes. They are fetched whenever the change
// stream begins: rules change when Postern starts anew or reads its configuration
// again, and then it breaks.
func (g *Guard) fetchRoutes(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.o.URL+"/routes", nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(g.o.ID, g.o.Secret)
	resp, err := g.o.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostRules))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("guard: Postern does not tell its rules for routes: %s: %.200s", resp.Status, body)
	}
	var list routes.List
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("guard: Postern's rules for routes cannot be read: %w", err)
	}
	table, mistakes := routes.New(list)
	if mistakes != nil {
		return errors.New("guard: Postern's rules for routes cannot be read: " + mistakes[0].Msg)
	}
	g.routes.Store(table)
	return nil
}

// need is what the rules for routes say of a call. A call that they refuse
// has an error; without rules there is nothing to say.
func (g *Guard) need(r *http.Request) (table *routes.Table, rule routes.Rule, err error) {
	if !g.o.Routes {
		return nil, routes.Rule{}, nil
	}
	if table = g.routes.Load(); table == nil {
		return nil, routes.Rule{}, blind()
	}
	rule, err = table.Find(r.Method, r.Host, routes.PathOf(r.URL))
	return table, rule, err
}

// opens reports whether a caller's token is enough for a rule.
func opens(table *routes.Table, rule routes.Rule, c *Caller) bool {
	if table == nil {
		return true
	}
	for _, s := range table.Needs(rule, c.Dialect) {
		if !c.May(s) {
			return false
		}
	}
	return true
}
