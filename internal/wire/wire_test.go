package wire

import (
	"strings"
	"testing"
)

func TestSecretsAreMaskedInEveryEncoding(t *testing.T) {
	const secret = "a/secret&that is long"
	in := "x a/secret&that is long y a%2Fsecret%26that+is+long z YS9zZWNyZXQmdGhhdCBpcyBsb25n"
	if got, want := Masked(in, "", secret), "x a/sec… y a%2Fse… z YS9zZW…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := MaskedBasic("GET / HTTP/1.1\nAuthorization: Basic dXNlcjpwYXNzd29yZA==\n"); strings.Contains(got, "cGFzc3") || !strings.Contains(got, "Basic dXNl") {
		t.Errorf("got %q", got)
	}
}
