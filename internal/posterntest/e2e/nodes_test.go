package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/pg"
)

// program is the built binary, made once for all tests that want processes.
var program struct {
	sync.Once
	dir, path string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

func build(t *testing.T) string {
	t.Helper()
	program.Do(func() {
		dir, err := os.MkdirTemp("", "postern-e2e-")
		if err != nil {
			t.Fatal(err)
		}
		program.dir = dir
		program.path = posterntest.Build(t, dir)
	})
	if program.path == "" {
		t.Fatal("the program did not build")
	}
	return program.path
}

// spread sends n requests at once, over all nodes.
func spread(c *posterntest.Cluster, n int, request posterntest.Request) []*posterntest.Answer {
	var requests []func() *posterntest.Answer
	for i := range n {
		node := c.Nodes[i%len(c.Nodes)]
		requests = append(requests, func() *posterntest.Answer { return node.Send(request) })
	}
	return atOnce(requests)
}

// I-01 and I-12 over nodes, attacks TK-03 and TK-24.
func TestI01ThreeNodesHaveOneWinner(t *testing.T) {
	c := posterntest.NewCluster(t, build(t), pg.URL(t), 3)
	first := c.Nodes[0]
	for _, app := range posterntest.Apps {
		for _, n := range []int{1, 3, 50, 100} {
			code := first.Approve(app, posterntest.Ada)
			won := winners(t, spread(c, n, posterntest.RedeemRequest(app, code)), 400, "invalid_grant")
			if len(won) != 1 {
				t.Errorf("%s: %d of %d callers redeemed the code", app.Dialect, len(won), n)
			}
		}
	}
	for range 10 { // small and often: the narrow moments
		code := first.Approve(xref, posterntest.Ada)
		if won := winners(t, spread(c, 6, posterntest.RedeemRequest(xref, code)), 400, "invalid_grant"); len(won) != 1 {
			t.Errorf("%d callers redeemed the code", len(won))
		}
	}

	refresh := connect(first.Postern, standard, posterntest.Alan).Field("refresh_token")
	successors := map[string]bool{}
	for _, a := range spread(c, 100, posterntest.RefreshRequest(standard, refresh)) {
		if a.Status == 200 {
			successors[a.Field("refresh_token")] = true
		} else if a.Status != 503 {
			a.Wants(400, "invalid_grant")
		}
	}
	if len(successors) != 1 {
		t.Errorf("100 callers got %d successors", len(successors))
	}
	for next := range successors {
		c.Nodes[1].Refresh(standard, next).OK()
	}
}

// OP-14: two processes on one file harm nothing, each hears of the other's
// revocations, and whoever comes second is told; who was killed is not there.
func TestOP14TwoProcessesOnOneFileHarmNothingAndAreTold(t *testing.T) {
	c := posterntest.NewCluster(t, build(t), engines.SQLite(t), 2)
	const told = "another Postern serves this database file"
	first, second := c.Nodes[0], c.Nodes[1]
	if strings.Contains(first.Log.String(), told) || !strings.Contains(second.Log.String(), told) || !strings.Contains(second.Log.String(), first.URL[len("http://"):]) {
		t.Errorf("the first said\n%s\nthe second\n%s", first.Log, second.Log)
	}
	for i := range 6 {
		by, other := c.Nodes[i%2], c.Nodes[(i+1)%2]
		token := connect(by.Postern, standard, posterntest.Ada).Field("access_token")
		if !other.Alive(token) {
			t.Fatal("a token of one is unknown to the other")
		}
		by.Revoke(standard, token).OK()
		for acknowledged := time.Now(); other.Alive(token); time.Sleep(5 * time.Millisecond) {
			if time.Since(acknowledged) > time.Second {
				t.Fatal("the other still says yes a second after the revocation")
			}
		}
	}
	code := first.Approve(standard, posterntest.Ada)
	if won := winners(t, spread(c, 20, posterntest.RedeemRequest(standard, code)), 400, "invalid_grant"); len(won) != 1 {
		t.Errorf("%d callers redeemed the code", len(won))
	}
	first.Kill()
	second.Kill()
	before := strings.Count(first.Log.String(), told)
	first.Start()
	if strings.Count(first.Log.String(), told) != before {
		t.Errorf("after both were killed it still sees another\n%s", first.Log)
	}
	connect(first.Postern, standard, posterntest.Alan)
}

// I-11: revoked on one node, refused on the others within a second.
func TestI11RevocationReachesEveryNode(t *testing.T) {
	c := posterntest.NewCluster(t, build(t), pg.URL(t), 3)
	for i := range 6 {
		by, app := c.Nodes[i%3], posterntest.Apps[i%3]
		token := connect(by.Postern, app, posterntest.Ada).Field("access_token")
		for _, node := range c.Nodes {
			if !node.Alive(token) { // and it is in every node's memory
				t.Fatalf("%s: a token is unknown to a node", app.Dialect)
			}
		}
		by.Revoke(app, token).OK()
		acknowledged := time.Now()
		if by.Alive(token) {
			t.Errorf("%s: the token is alive where it was revoked", app.Dialect)
		}
		for _, node := range c.Nodes {
			for node.Alive(token) {
				if time.Since(acknowledged) > time.Second {
					t.Errorf("%s: a node still says yes after %s", app.Dialect, time.Since(acknowledged))
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
}

// I-72: what was acknowledged survives a kill, on both engines; xref.md §8.8.
func TestI72AKilledNodeLosesNothing(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		node := posterntest.NewCluster(t, build(t), database, 1).Nodes[0]
		for round := range 3 {
			kept, gone := connect(node.Postern, xref, posterntest.Ada), connect(node.Postern, xeebo, posterntest.Ada)
			code := node.Approve(standard, posterntest.Ada)
			node.Revoke(xeebo, gone.Field("refresh_token")).OK()
			node.Kill()
			node.Start()
			node.Call(xref, kept.Field("access_token")).OK()
			node.Refresh(xeebo, gone.Field("refresh_token")).Wants(400, "invalid_grant")
			node.Redeem(standard, code).OK()
			if t.Failed() {
				t.Fatalf("in round %d\n%s", round, node.Log)
			}
		}
		if code := node.Stop(); code != 0 {
			t.Errorf("SIGTERM ended the node with exit code %d\n%s", code, node.Log)
		}
	})
}
