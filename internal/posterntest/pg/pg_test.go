package pg

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"postern.dev/postern/internal/posterntest/needs"
)

func query[T any](t *testing.T, url, q string) (v T) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, q).Scan(&v); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return v
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	a, b := URL(t), URL(t)
	if a == b {
		t.Fatal("two tests share a database")
	}
	query[string](t, a, "INSERT INTO partners (id, name, created_at) VALUES ('p', 'P', 1) RETURNING id")
	if n := query[int](t, b, "SELECT count(*) FROM partners"); n != 0 {
		t.Errorf("another database's row is visible: %d", n)
	}
	if n := query[int](t, Empty(t), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("an empty database has %d tables", n)
	}
}

func TestADatabaseIsDroppedAfterItsTest(t *testing.T) {
	var url string
	t.Run("a test", func(t *testing.T) { url = URL(t) })
	_, err := pgx.Connect(context.Background(), url)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connecting afterwards gave %v", err)
	}
}

// The keeper must end the server when its process is killed, or every
// interrupted test run would leave one behind.
func TestAServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv("POSTERN_TEST_KILLED_CHILD") == "1" {
		s, err := own()
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("started " + s.Data + "\n")
		select {}
	}
	if _, err := own(); errors.Is(err, ErrNotInstalled) {
		needs.Lacking(t, err.Error())
	}
	child := exec.Command(os.Args[0], "-test.run=^TestAServerEndsWithItsProcess$")
	child.Env = append(os.Environ(), "POSTERN_TEST_KILLED_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 300)
	n, err := out.Read(buf)
	line, ok := strings.CutPrefix(string(buf[:n]), "started ")
	if err != nil || !ok {
		t.Fatalf("the child said %q, %v", buf[:n], err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // "signal: killed", as asked
	data := strings.TrimSpace(line)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(data); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", data)
		}
	}
}
