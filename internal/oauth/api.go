package oauth

import (
	"context"

	"postern.dev/postern"
)

// apiKey is by what a change touches an API.
func apiKey(id string) uint64 { return keyOf("api", id) }

// rememberedAPI is an API as its row was when the change sequence stood at seq.
type rememberedAPI struct {
	api *postern.API
	seq int64
}

// mostAPIs bounds how many are held. An operator has a few.
const mostAPIs = 1000

// API finds an API in memory, or has it read by read. Like a token's, an answer
// from memory needs the sequence to have been read within the last second, and
// nothing that touched the API since. One that is not there is not remembered.
func (m *Memory) API(ctx context.Context, id string, read func(context.Context, string) (*postern.API, error)) (*postern.API, error) {
	if !m.Holds() {
		return read(ctx, id)
	}
	if err := m.confirm(ctx); err != nil {
		return nil, err
	}
	if known, ok := m.apis.Load(id); ok {
		if r := known.(rememberedAPI); m.untouched(apiKey(id), r.seq) {
			return r.api, nil
		}
	}
	seq := m.seq.Load() // before the read: what changes during it counts as later
	api, err := read(ctx, id)
	if err != nil {
		return nil, err
	}
	if m.heldAPIs.Add(1) > mostAPIs {
		m.apis.Clear()
		m.heldAPIs.Store(1)
	}
	m.apis.Store(id, rememberedAPI{api, seq})
	return api, nil
}

// untouched reports whether no change since seq was about a key.
func (m *Memory) untouched(key uint64, seq int64) bool {
	if seq < m.flushed.Load() {
		return false
	}
	m.staleMu.RLock()
	defer m.staleMu.RUnlock()
	return m.stale[key] <= seq
}

// api finds an API whose credentials were presented. Where memory would refuse
// them the row decides: a secret that was just changed is good at once.
func (r *Rules) api(ctx context.Context, c ClientAuth) (*postern.API, error) {
	if r.Memory != nil {
		api, err := r.Memory.API(ctx, c.ClientID, r.Store.API)
		if err != nil || refusedAPI(c, api) == "" {
			return api, err
		}
	}
	return r.Store.API(ctx, c.ClientID)
}

// refusedAPI is as what the credentials are refused; "" when they are good.
func refusedAPI(c ClientAuth, api *postern.API) postern.Kind {
	switch {
	case api.Disabled:
		return postern.UnknownClient
	case c.Secret == "" || !c.Secret.Hash().Equal(api.SecretHash):
		return postern.InvalidClient
	}
	return ""
}
