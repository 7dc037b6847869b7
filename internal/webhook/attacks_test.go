package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"postern.dev/postern"
)

// errWouldDial stands for a packet: the guard let it pass.
var errWouldDial = errors.New("it would be dialled")

// WH-06: a name that changes its mind at every look. What the guard has seen is
// what is dialled, a thousand times.
func TestWH06_TheCheckedAddressIsTheDialledOne(t *testing.T) {
	const public, private = "203.0.114.7", "127.0.0.1"
	g := newGuard(false, nil)
	dialer := g.dialer()
	dialer.Resolver = names(t, func(_ string, n int) []string {
		return [][]string{{public}, {private}, {private, public}, {public, private}, {"::1", public}}[n%5]
	})
	passed := map[string]int{}
	dialer.Control = func(network, address string, c syscall.RawConn) error {
		if err := g.control(network, address, c); err != nil {
			return err
		}
		passed[address]++
		return errWouldDial
	}
	refused := 0
	for range 1000 {
		_, err := dialer.DialContext(t.Context(), "tcp4", "endpoint.example:443")
		switch {
		case errors.Is(err, errPolicy):
			refused++
		case !errors.Is(err, errWouldDial):
			t.Fatal(err)
		}
	}
	for address, n := range passed {
		if at := netip.MustParseAddrPort(address); !postern.GlobalUnicast(at.Addr()) {
			t.Errorf("%s would be dialled %d times", address, n)
		}
	}
	if refused < 200 || len(passed) == 0 {
		t.Errorf("%d of 1000 were refused, and these would be dialled: %v", refused, passed)
	}
}

// certificateFor is one that its own client trusts, for a host and a time.
func certificateFor(t *testing.T, host string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		form.IPAddresses = []net.IP{ip}
	} else {
		form.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// WH-14: why a certificate is refused is told, each in its words.
func TestWH14_EachFaultOfACertificateHasItsReason(t *testing.T) {
	for _, c := range []struct {
		name, host string
		until      time.Time
		unknown    bool
		want       string // "": it is good
	}{
		{"good", "127.0.0.1", time.Now().Add(time.Hour), false, ""},
		{"expired", "127.0.0.1", time.Now().Add(-time.Hour), false, "not valid at this time"},
		{"not yet valid", "127.0.0.1", time.Now().Add(30 * 24 * time.Hour), false, "not valid at this time"},
		{"of another name", "endpoint.example", time.Now().Add(time.Hour), false, "for another name"},
		{"signed by itself", "127.0.0.1", time.Now().Add(time.Hour), true, "not signed by an authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			certificate, roots := certificateFor(t, c.host, c.until)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			s.StartTLS()
			defer s.Close()
			client := newClient(newGuard(true, nil))
			defer client.CloseIdleConnections()
			if !c.unknown {
				client.TLSClientConfig.RootCAs = roots
			}
			r := send(context.Background(), client, s.URL, "evt_1", time.Now(), "", nil, nil)
			switch {
			case c.want == "" && (r.err != nil || r.status != 200):
				t.Errorf("%d, %v", r.status, r.err)
			case c.want != "" && (r.err == nil || !strings.Contains(inWords(r.err), c.want)):
				t.Errorf("%d, %v", r.status, r.err)
			}
		})
	}
}
