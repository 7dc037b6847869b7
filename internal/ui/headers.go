package ui

import (
	"net/http"
	"net/url"
	"strings"
)

// Headers are what every page carries, whichever door writes it.
type Headers struct {
	HTTPS bool // public_url is https: browsers are told to stay there
}

// Wrap sets the headers before the handler runs. A handler may add a form
// target (AllowFormTo) or, for an asset, another Cache-Control.
func (h Headers) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Set(w.Header())
		next.ServeHTTP(w, r)
	})
}

const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Set writes the headers: no frames, no inline code, nothing from elsewhere, no
// referrer, no copy in a cache.
func (h Headers) Set(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	header.Set("Cache-Control", "no-store")
	if h.HTTPS {
		header.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// allowScripts lets a page run scripts of our own, which may ask our own pages
// and nobody else.
func allowScripts(header http.Header) {
	header.Set("Content-Security-Policy", header.Get("Content-Security-Policy")+"; script-src 'self'; connect-src 'self'")
}

// AllowFormTo lets a form on this page be answered by a redirect to these URLs'
// origins: browsers apply form-action to every redirect that follows a post
// (CSP 3 §6.4.1), those that the other site adds as well.
func AllowFormTo(header http.Header, urls ...string) {
	targets := "form-action 'self'"
	for _, u := range urls {
		if source := formSource(u); source != "" && !strings.Contains(targets+" ", " "+source+" ") {
			targets += " " + source
		}
	}
	header.Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", targets, 1))
}

// formSource is a URL's origin as a CSP source. Where CSP cannot write the
// origin (private-use schemes, IPv6 literals, hosts outside ASCII) it is the
// scheme; the URL was registered and compared long before this.
func formSource(redirectURL string) string {
	u, err := url.Parse(redirectURL)
	if err != nil || !onlyOf(u.Scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") {
		return ""
	}
	web := u.Scheme == "https" || u.Scheme == "http"
	if web && onlyOf(u.Hostname(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

func onlyOf(text, characters string) bool {
	return text != "" && strings.Trim(text, characters) == ""
}
