package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

// hosts are names of the world outside that some clients will not do without.
// Here they lead to a Postern, by https, with certificates of a test's own
// authority.
type hosts struct {
	names     []string // *.shops.example: any host under it
	front     string   // where they all lead
	authority string   // a file in PEM
	transport *http.Transport
}

// newHosts puts a TLS front before a Postern, as a deployment would, for as long
// as the test runs.
func newHosts(t *testing.T, s *posterntest.Postern, names ...string) *hosts {
	t.Helper()
	behind, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host
	}})
	certificate, authority := certify(t, names)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	front.StartTLS()
	t.Cleanup(front.Close)
	h := &hosts{names: names, front: front.Listener.Addr().String(), authority: filepath.Join(t.TempDir(), "authority.pem")}
	if err := os.WriteFile(h.authority, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	h.transport = &http.Transport{DialContext: h.dial, TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(h.transport.CloseIdleConnections)
	return h
}

// dial leads the names to the front, and all else where it belongs.
func (h *hosts) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(h.names, func(name string) bool {
		under, wild := strings.CutPrefix(name, "*")
		return name == host || wild && strings.HasSuffix(host, under)
	}) {
		address = h.front
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// environment tells a script where the hosts are (hosts.js), and node whose
// certificates to trust.
func (h *hosts) environment() []string {
	if h == nil {
		return nil
	}
	return []string{"HOSTS=" + strings.Join(h.names, " "), "HOSTS_AT=" + h.front, "NODE_EXTRA_CA_CERTS=" + h.authority}
}

// certify makes an authority and a certificate of its for the names.
func certify(t *testing.T, names []string) (tls.Certificate, []byte) {
	t.Helper()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootKey, rootDER := sign(t, root, root, nil)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	key, der := sign(t, leaf, root, rootKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
}

// sign certifies a new key; without an issuer's key the certificate signs itself.
func sign(t *testing.T, of, issuer *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, issuer, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}
