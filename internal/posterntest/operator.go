package posterntest

import (
	"context"

	"postern.dev/postern/internal/server"
)

// OperatorToken makes a token for /api/v1, as `postern token create` does.
func (s *Postern) OperatorToken(rights ...string) string {
	s.t.Helper()
	ctx := context.Background()
	rooms, err := server.Build(ctx, s.cfg, server.Outside{Now: s.Clock.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	defer rooms.Close()
	token, err := rooms.Registry.CreateOperatorToken(ctx, "tests", rights)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(token)
}

// ConfigFile is the node's configuration file, for other commands beside it.
func (n *Node) ConfigFile() string { return n.config }
