package pg

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Server is a PostgreSQL of our own, for tests alone: a fresh cluster in a
// temporary directory, on a loopback port that was free.
//
// It is watched by a keeper process that holds the reading end of a pipe. When
// the writing end closes, because of Stop, because nobody holds the Server any
// more or because this process is gone in whatever way, the keeper stops the
// server and removes the directory.
type Server struct {
	// URL is a superuser's.
	URL  string
	Data string // the directory of the cluster
	Bin  string // where initdb, pg_ctl and their like are

	keeper *exec.Cmd
	pipe   io.Closer
	run    runner
}

// ErrNotInstalled is what Start says where there are no server programs.
var ErrNotInstalled = errors.New("no PostgreSQL server programs found: apt-get install postgresql")

// Start makes a cluster and starts it. Its options are as for `postgres -c`;
// durability is off unless they say otherwise, since nobody keeps the data.
func Start(options ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	run, err := newRunner()
	if err != nil {
		return nil, err
	}
	dir, err := run.tempDir()
	if err != nil {
		return nil, err
	}
	s := &Server{Data: filepath.Join(dir, "data"), Bin: bin, run: run}
	if err := s.start(dir, options); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) start(dir string, options []string) error {
	password := rand.Text()
	passwordFile := filepath.Join(dir, "password")
	if err := s.run.writeFile(passwordFile, password); err != nil {
		return err
	}
	// md5, because the slow hash of SCRAM would be most of what a test does.
	if err := s.run.do(s.Bin, "initdb", "-D", s.Data, "-U", "postgres", "--pwfile", passwordFile,
		"-A", "md5", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"); err != nil {
		return err
	}
	var err error
	for range 3 { // another process may take the free port before we do
		if err = s.listen(dir, password, options); err == nil {
			return s.keep(dir)
		}
	}
	return err
}

func (s *Server) listen(dir, password string, options []string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	settings := append([]string{
		"listen_addresses=127.0.0.1", "port=" + port, "unix_socket_directories=" + dir,
		"max_connections=400", "shared_buffers=64MB", "fsync=off", "synchronous_commit=off",
		"full_page_writes=off", "autovacuum=off", "log_min_messages=fatal",
	}, options...)
	// -w: return when it answers. The log keeps its output off ours, which `go
	// test` would wait for.
	if err := s.run.do(s.Bin, "pg_ctl", "-D", s.Data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"),
		"-o", "-c "+strings.Join(settings, " -c "), "start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("%w\n%s", err, log)
	}
	s.URL = (&url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password),
		Host: "127.0.0.1:" + port, Path: "/postgres", RawQuery: "sslmode=disable"}).String()
	return nil
}

// keep starts the keeper. It is a session of its own, so that an interrupt
// typed at the terminal reaches it only through the pipe.
func (s *Server) keep(dir string) error {
	const script = `read -r _; "$0" -D "$1" -m immediate -w stop; rm -rf "$2"`
	cmd := exec.Command("/bin/sh", "-c", script, filepath.Join(s.Bin, "pg_ctl"), s.Data, dir)
	s.run.as(cmd)
	cmd.SysProcAttr.Setsid = true
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.keeper, s.pipe = cmd, pipe
	return nil
}

// Stop ends the server and removes all of it.
func (s *Server) Stop() error {
	if err := s.pipe.Close(); err != nil {
		return err
	}
	return s.keeper.Wait()
}

// programs finds the directory of the server programs of the newest version.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian's place; the pattern is well-formed
	best, newest := "", 0
	for _, path := range found {
		dir := filepath.Dir(path)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version > newest {
			best, newest = dir, version
		}
	}
	if best == "" {
		return "", ErrNotInstalled
	}
	return best, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// runner runs the server programs as somebody other than root, who they refuse.
type runner struct {
	credential *syscall.Credential // nil: as ourselves
}

func newRunner() (runner, error) {
	if os.Geteuid() != 0 {
		return runner{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return runner{}, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return runner{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return runner{}, err
	}
	return runner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func (r runner) as(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.credential}
}

func (r runner) do(bin, program string, args ...string) error {
	cmd := exec.Command(filepath.Join(bin, program), args...)
	r.as(cmd)
	if program == "pg_ctl" {
		// The server inherits its output, and would hold a pipe open for ever.
		return r.describe(cmd.Run(), program, nil)
	}
	out, err := cmd.CombinedOutput()
	return r.describe(err, program, out)
}

func (r runner) describe(err error, program string, out []byte) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w\n%s", program, err, out)
}

// tempDir is a directory that only the server's user can look into, with a
// short path: a socket's may have about a hundred characters.
func (r runner) tempDir() (string, error) {
	dir, err := os.MkdirTemp("/tmp", "postern-pg-")
	if err != nil {
		return "", err
	}
	return dir, r.own(dir)
}

func (r runner) writeFile(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return r.own(path)
}

func (r runner) own(path string) error {
	if r.credential == nil {
		return nil
	}
	return os.Chown(path, int(r.credential.Uid), int(r.credential.Gid))
}
