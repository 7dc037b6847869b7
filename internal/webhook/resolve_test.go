package webhook

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a DNS server whose answers a test makes up, by the name and in the
// order asked. It is asked over a pipe, and no packet is sent.
func names(t *testing.T, answer func(name string, n int) []string) *net.Resolver {
	t.Helper()
	var mu sync.Mutex
	asked := 0
	serve := func(c net.Conn) {
		defer c.Close()
		for size := make([]byte, 2); ; {
			if _, err := io.ReadFull(c, size); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(size))
			var m dnsmessage.Message
			if _, err := io.ReadFull(c, question); err != nil || m.Unpack(question) != nil {
				return
			}
			q := m.Questions[0]
			mu.Lock()
			addresses := answer(strings.TrimSuffix(q.Name.String(), "."), asked)
			if q.Type == dnsmessage.TypeA {
				asked++
			}
			mu.Unlock()
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			for _, text := range addresses {
				a := netip.MustParseAddr(text)
				h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
				switch {
				case a.Is4() && q.Type == dnsmessage.TypeA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
				case a.Is6() && q.Type == dnsmessage.TypeAAAA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			out, err := m.AppendPack(make([]byte, 2))
			if err != nil {
				return
			}
			binary.BigEndian.PutUint16(out, uint16(len(out)-2))
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serve(ours)
		return theirs, nil
	}}
}

func TestWH05_ARefusedAddressIsToldAsPolicy(t *testing.T) {
	dialer := newGuard(false, nil).dialer()
	dialer.Resolver = names(t, func(string, int) []string { return []string{"10.0.0.5"} })
	_, err := dialer.DialContext(context.Background(), "tcp", "endpoint.example:443")
	if !errors.Is(err, errPolicy) {
		t.Errorf("%v", err)
	}
}
