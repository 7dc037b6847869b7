package storetest

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/registry"
)

func TestAnAPIThatIsChangedElsewhereIsKnownHereWithinASecond(t *testing.T) {
	everywhere(t, func(w *world) {
		api := registry.API{}
		api.ID, api.Name = "api", "The API"
		apply := func(writes *registry.Writes) {
			w.Helper()
			w.ok(w.db.ApplyRegistry(w.ctx, &registry.Mentions{}, w.clock.Now(), func(*registry.State) (*registry.Writes, error) { return writes, nil }))
		}
		put := func(secret string, off, isNew bool) {
			w.Helper()
			api.SecretHash, api.Disabled = postern.Secret(secret).Hash(), off
			apply(&registry.Writes{APIs: []registry.Put[registry.API]{{Row: api, New: isNew}}})
		}
		put("first-first-first-first", false, true)
		here := w.node()
		says := func(secret string, want postern.Kind) {
			w.Helper()
			err := here.AuthenticateAPI(w.ctx, oauth.ClientAuth{ClientID: "api", Secret: postern.Secret(secret)})
			if want == "" {
				w.ok(err)
				return
			}
			w.wants(err, want)
		}
		for range 2 {
			says("first-first-first-first", "")
			says("wrong-wrong-wrong-wrong", postern.InvalidClient)
		}
		put("second-second-second-second", false, false)
		says("second-second-second-second", "") // at once: what memory would refuse is looked up
		w.clock.Advance(1001 * time.Millisecond)
		says("first-first-first-first", postern.InvalidClient)
		says("second-second-second-second", "")
		put("second-second-second-second", true, false)
		w.clock.Advance(1001 * time.Millisecond)
		says("second-second-second-second", postern.InvalidClient)
		put("second-second-second-second", false, false)
		says("second-second-second-second", "")
		apply(&registry.Writes{DropAPIs: []string{"api"}})
		w.clock.Advance(1001 * time.Millisecond)
		says("second-second-second-second", postern.InvalidClient)
	})
}

func TestAnAPIInMemoryCostsNoRead(t *testing.T) {
	everywhere(t, func(w *world) {
		hash := postern.Secret("secret-secret-secret").Hash()
		w.run(`INSERT INTO apis (id, name, secret_hash, created_at) VALUES ('api', 'api', $1, 1)`, hash[:])
		here := w.node()
		good := oauth.ClientAuth{ClientID: "api", Secret: "secret-secret-secret"}
		w.ok(here.AuthenticateAPI(w.ctx, good))
		w.run(`DELETE FROM apis`) // behind everybody's back: nobody is told
		w.ok(here.AuthenticateAPI(w.ctx, good))
		bad := good
		bad.Secret = "another-another-another"
		w.wants(here.AuthenticateAPI(w.ctx, bad), postern.InvalidClient)
	})
}
