package pg

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Line is a way to a database that can be cut, as a network may be: connections
// break, and new ones are refused until it is mended.
type Line struct {
	URL string

	server   string
	listener net.Listener

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// Proxy gives a database another address, through a line of its own.
func Proxy(t testing.TB, database string) *Line {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{server: u.Host, conns: map[net.Conn]bool{}}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	u.Host = l.listener.Addr().String()
	l.URL = u.String()
	go l.accept()
	t.Cleanup(func() {
		l.listener.Close()
		l.Cut()
	})
	return l
}

func (l *Line) accept() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return // closed after the test
		}
		out, err := net.Dial("tcp", l.server)
		if err != nil || !l.hold(in, out) {
			in.Close()
			continue
		}
		go l.carry(in, out)
		go l.carry(out, in)
	}
}

// hold keeps a pair to be cut; it fails where the line is cut already.
func (l *Line) hold(in, out net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		out.Close()
		return false
	}
	l.conns[in], l.conns[out] = true, true
	return true
}

// carry copies until either end closes, and closes both.
func (l *Line) carry(from, to net.Conn) {
	_, _ = io.Copy(to, from) // however it ended, the connection is over
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []net.Conn{from, to} {
		c.Close()
		delete(l.conns, c)
	}
}

// Cut breaks all connections and refuses new ones.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for c := range l.conns {
		c.Close()
	}
}

// Mend lets new connections through.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}
