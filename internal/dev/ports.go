package dev

import (
	"fmt"
	"net"
	"strconv"
)

// Ports are where the four listeners are; 0 is the usual port, or a free one
// when that is taken.
type Ports struct {
	Public, Partner, API, Internal int
}

var usualPorts = Ports{Public: 8080, Partner: 8081, API: 8082, Internal: 8083}

// port is one listener's place.
type port struct {
	name   string // as messages call it
	flag   string
	wanted int // 0: the usual one
	usual  int // 0: any
}

// open listens on loopback. A port that was asked for by name is taken or
// refused; the usual one gives way to a free one, and said tells of it.
func (p port) open(said func(string)) (net.Listener, error) {
	if p.wanted != 0 {
		l, err := listen(p.wanted)
		if err != nil {
			return nil, fmt.Errorf("port %d for %s cannot be used (%w): end what listens there, or name another port with %s, or none for a free one",
				p.wanted, p.name, err, p.flag)
		}
		return l, nil
	}
	l, err := listen(p.usual)
	if err == nil {
		return l, nil
	}
	if l, err = listen(0); err != nil {
		return nil, fmt.Errorf("no port for %s: %w", p.name, err)
	}
	said(fmt.Sprintf("Port %d is taken; %s is on port %d.", p.usual, p.name, portOf(l)))
	return l, nil
}

// listen takes a port on 127.0.0.1. Browsers may look for localhost at ::1
// first, so a port on which another program answers there is taken, too.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if c, err := net.Dial("tcp6", net.JoinHostPort("::1", strconv.Itoa(portOf(l)))); err == nil {
		c.Close()
		l.Close()
		return nil, fmt.Errorf("another program listens on [::1]:%d", port)
	}
	return l, nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
