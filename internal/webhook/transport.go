package webhook

import (
	"net/http"
	"net/netip"
)

// NewTransport makes what sends requests to addresses that strangers name: it
// decides about every address as it is dialled, follows no redirect, uses no
// proxy of the environment and undoes no compression.
func NewTransport(insecureLoopback bool, networks []netip.Prefix) http.RoundTripper {
	return newClient(newGuard(insecureLoopback, networks))
}
