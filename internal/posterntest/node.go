package posterntest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Build builds the postern program into a directory and gives its path.
func Build(t testing.TB, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "postern")
	out, err := exec.Command("go", "build", "-o", program, "postern.dev/postern/cmd/postern").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// Cluster is a number of `postern serve` processes on one database, with the
// same resources as New. Their clock is the machine's.
type Cluster struct {
	Nodes []*Node
}

// Node is one process.
type Node struct {
	*Postern // what its listener serves

	program, config string
	cmd             *exec.Cmd
}

// NewCluster starts n nodes of a built program. On SQLite more than one is not
// meant, and works.
func NewCluster(t testing.TB, program, database string, n int) *Cluster {
	t.Helper()
	dir := t.TempDir()
	key := make([]byte, 32)
	rand.Read(key) // never fails
	c := &Cluster{}
	public := ""
	for i := range n {
		address, internal := freeAddress(t), freeAddress(t)
		if public == "" {
			public = "http://" + address
		}
		config := writeJSON(t, filepath.Join(dir, fmt.Sprintf("node-%d.yaml", i)), map[string]any{
			"listen": address, "public_url": public, "database": database, "internal_listen": internal,
			"insecure_loopback": true, "secret_key": base64.StdEncoding.EncodeToString(key),
		})
		c.Nodes = append(c.Nodes, &Node{program: program, config: config,
			Postern: &Postern{t: t, URL: "http://" + address, Internal: "http://" + internal, Log: &Log{}, people: map[string]*Browser{}}})
	}
	path := filepath.Join(dir, "resources.yaml")
	if err := os.WriteFile(path, []byte(resources()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "apply", "--config", c.Nodes[0].config, path).CombinedOutput()
	if err != nil {
		t.Fatalf("postern apply: %v\n%s", err, out)
	}
	for _, node := range c.Nodes {
		node.Start()
	}
	return c
}

func writeJSON(t testing.TB, path string, v any) string {
	t.Helper()
	text, err := json.Marshal(v) // which YAML contains
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Start starts the process and waits until it is ready.
func (n *Node) Start() {
	n.t.Helper()
	n.cmd = exec.Command(n.program, "serve", "--config", n.config)
	n.cmd.Stdout, n.cmd.Stderr = n.Log, n.Log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	cmd := n.cmd
	n.t.Cleanup(func() { stop(cmd, syscall.SIGKILL) })
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		resp, err := machines.Get(n.URL + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("the node is not ready after 30 s: %v\n%s", err, n.Log)
		}
	}
}

// Stop asks the process to end, and gives its exit code.
func (n *Node) Stop() int { return stop(n.cmd, syscall.SIGTERM) }

// Kill ends the process as a power cut would.
func (n *Node) Kill() { stop(n.cmd, syscall.SIGKILL) }

func stop(cmd *exec.Cmd, signal syscall.Signal) int {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Signal(signal) // an error is that it has ended
		_ = cmd.Wait()                 // the exit code tells
	}
	return cmd.ProcessState.ExitCode()
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Log keeps what a Postern logs.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
