package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/yamlfile"
)

// nothing is an empty installation that keeps nothing.
type nothing struct{}

func (nothing) Registry(context.Context, *registry.Mentions) (*registry.State, error) {
	return &registry.State{}, nil
}

func (nothing) ApplyRegistry(_ context.Context, _ *registry.Mentions, _ time.Time, decide func(*registry.State) (*registry.Writes, error)) error {
	_, err := decide(&registry.State{})
	return err
}

func (nothing) SaveOperatorToken(context.Context, registry.OperatorToken) error { return nil }

func (nothing) HashPassword(postern.Secret) (string, error) { return "hash", nil }
func (nothing) CheckHash(string) error                      { return nil }
func (nothing) VerifyPassword(string, postern.Secret) (ok, upgrade bool, err error) {
	return false, false, nil
}
func (nothing) Seal(_, _, _ string, plain []byte) ([]byte, error)  { return plain, nil }
func (nothing) Open(_, _, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

// Whatever stands in a file, an apply ends with findings that have a place, or
// with a result; never otherwise.
func FuzzApply(f *testing.F) {
	f.Add([]byte(everything))
	for _, seed := range []string{
		"accounts: [3]", "partners: [{apps: [{client_secrets: [1, {}]}]}]", "accounts: [{users: [{email: ''}]}]", "scopes: {}\n---\n[]",
		"partners: [{name: P, apps: [{also: [x, 1], attributes: [], level: {}}]}]", `{"apis":[{"id":"\u0000"}],"operators":[null]}`,
		"accounts: [{name: A, users: [{email: a@b, role: x, remove: true}, {email: a@b, role: [y]}]}, {name: A, id: 1}, {name: A, id: 2}]",
		"partners: [{name: P, remove: true, apps: [{name: X}], members: [{email: a@b}]}]",
	} {
		f.Add([]byte(seed))
	}
	rules := &registry.Rules{
		Store: nothing{}, Passwords: nothing{}, Sealer: nothing{}, Now: time.Now, Random: rand.Reader, DefaultDialect: "open",
		Dialects: map[string]registry.DialectFacts{"open": {Level: postern.UserLevel}, "strict": {OneRedirectURL: true, Required: []string{"url"}}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := rules.Apply(context.Background(), registry.Read(registry.File{Name: "f", Data: data}), false)
		if err == nil {
			if result == nil {
				t.Error("neither a result nor an error")
			}
			return
		}
		problems, ok := errors.AsType[yamlfile.Problems](err)
		if !ok {
			t.Fatalf("%v is no list of findings", err)
		}
		for _, p := range problems {
			if p.File != "f" || p.Line < 1 || p.Col < 1 || p.Msg == "" {
				t.Errorf("a finding without a place: %+v", p)
			}
		}
	})
}
