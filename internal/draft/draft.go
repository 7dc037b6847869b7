// Package draft writes the first version of a dialect's file from a few answers
// about an old server: a file that says what it says, with comments that say
// what else there is to say.
package draft

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Answers are what is asked about the old server. Empty ones have the RFCs'
// values.
type Answers struct {
	Name           string
	Authorize      string   // address or path
	Token          string   // address or path
	Refresh        string   // address or path, "same" or "none"
	Revoke         string   // address or path, or "none"
	ScopeSeparator string   // "space", "comma", "none", or the character itself
	ClientAuth     string   // "basic", "body" or "either"
	Body           string   // "form" or "json"
	TokenPlace     string   // "Bearer", another scheme, "header X", "query X", "basic user"
	Members        []string // further members of the token answer, NAME=VALUE or NAME
	Level          string   // "user" or "account"
	Ignored        []string // keys of an entry that say nothing here
}

// Question is one thing to ask.
type Question struct {
	Key     string // of an entry; the flag is --key
	Text    string
	Default string
	Needed  bool
	into    func(*Answers) *string
}

// Questions are all of them, in order.
var Questions = []Question{
	{"name", "What shall the dialect be called", "", true, func(a *Answers) *string { return &a.Name }},
	{"authorize", "Where does the old server send people to allow an app (address or path)", "", true, func(a *Answers) *string { return &a.Authorize }},
	{"token", "Where is a code exchanged for a token (address or path)", "", true, func(a *Answers) *string { return &a.Token }},
	{"refresh", "Where is a token refreshed (address or path, same, or none)", "same", false, func(a *Answers) *string { return &a.Refresh }},
	{"revoke", "Where does an app end a token (address or path, or none)", "none", false, func(a *Answers) *string { return &a.Revoke }},
	{"scope-separator", "What stands between two scopes (space, comma, none where there are no scopes)", "space", false, func(a *Answers) *string { return &a.ScopeSeparator }},
	{"client-auth", "How does an app prove who it is (basic, body, either)", "either", false, func(a *Answers) *string { return &a.ClientAuth }},
	{"body", "How are token requests written (form, json)", "form", false, func(a *Answers) *string { return &a.Body }},
	{"token-place", "Where does the token stand in a call (Bearer, another word before it, header NAME, query NAME, basic user)", "Bearer", false, func(a *Answers) *string { return &a.TokenPlace }},
	{"level", "Whom does a connection belong to (user, account)", "user", false, func(a *Answers) *string { return &a.Level }},
}

// Of is the place of a question's answer.
func (q *Question) Of(a *Answers) *string { return q.into(a) }

// Missing are the questions that must be answered and are not.
func (a *Answers) Missing() (all []string) {
	for _, q := range Questions {
		if q.Needed && *q.Of(a) == "" {
			all = append(all, q.Key)
		}
	}
	return all
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// wire is what the answers come to.
type wire struct {
	*Answers
	authorize, token, refresh, revoke string // paths; "" for none
	hosts                             []string
	members                           [][2]string
	unclear                           []string // members without a value
}

// Write writes the file. The error says which answer is none, and what would be.
func Write(a Answers) (string, error) {
	for _, q := range Questions {
		if at := q.Of(&a); *at == "" {
			*at = q.Default
		}
	}
	w := &wire{Answers: &a}
	for _, check := range []func() error{w.checkName, w.checkAddresses, w.checkWords, w.checkMembers} {
		if err := check(); err != nil {
			return "", err
		}
	}
	return w.file(), nil
}

func (w *wire) checkName() error {
	if !nameForm.MatchString(w.Name) {
		return fmt.Errorf("name %q: a dialect's name has lower-case letters, digits, - and _, and begins with a letter, as in acme", w.Name)
	}
	return nil
}

var pathForm = regexp.MustCompile(`^(?:/[A-Za-z0-9._~-]+|/\{client_id\})+$`)

func (w *wire) checkAddresses() (err error) {
	if w.Refresh == "same" || w.Refresh == w.Token {
		w.Refresh, w.refresh = "same", "same"
	}
	for _, one := range []struct {
		key, given string
		into       *string
	}{{"authorize", w.Authorize, &w.authorize}, {"token", w.Token, &w.token}, {"refresh", w.Refresh, &w.refresh}, {"revoke", w.Revoke, &w.revoke}} {
		if one.given == "none" || one.given == "same" {
			continue
		}
		host, path := "", one.given
		if u, err := url.Parse(one.given); err == nil && u.Host != "" {
			host, path = u.Host, u.Path
		}
		if path = strings.TrimSuffix(path, "/"); !pathForm.MatchString(path) {
			return fmt.Errorf("%s %q: write an address or a path, as in https://login.example.com/oauth/%s; "+
				"a part that varies can only be {client_id} here, the language knows more", one.key, one.given, one.key)
		}
		*one.into = path
		w.hosts = append(w.hosts, host)
	}
	if w.token == w.refresh {
		w.refresh = "same"
	}
	return nil
}

var (
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	placeForm  = regexp.MustCompile(`^(?:scheme|header|query) [A-Za-z0-9_-]+$`)
)

func (w *wire) checkWords() error {
	for _, one := range []struct {
		key   string
		given *string
		known []string
	}{{"client-auth", &w.ClientAuth, []string{"basic", "body", "either"}}, {"body", &w.Body, []string{"form", "json"}},
		{"level", &w.Level, []string{"user", "account"}}} {
		if !slices.Contains(one.known, *one.given) {
			return fmt.Errorf("%s %q: write %s", one.key, *one.given, strings.Join(one.known, ", or "))
		}
	}
	switch w.ScopeSeparator {
	case "comma":
		w.ScopeSeparator = ","
	case "space":
		w.ScopeSeparator = " "
	}
	if w.ScopeSeparator != "none" && (len(w.ScopeSeparator) != 1 || !strings.Contains(" ,+;|:", w.ScopeSeparator)) {
		return fmt.Errorf("scope-separator %q: write space, comma or none, or the character", w.ScopeSeparator)
	}
	if schemeForm.MatchString(w.TokenPlace) {
		w.TokenPlace = "scheme " + w.TokenPlace
	}
	if !placeForm.MatchString(w.TokenPlace) && w.TokenPlace != "basic user" {
		return fmt.Errorf("token-place %q: write the word before the token, as in Bearer, or header NAME, query NAME, basic user", w.TokenPlace)
	}
	return nil
}

var (
	memberForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	valueForm  = regexp.MustCompile(`^[A-Za-z0-9 ._:/-]*$|^\$[a-z_]+(?:\.[a-z_0-9A-Z]+)*$`)
)

func (w *wire) checkMembers() error {
	for _, m := range w.Members {
		name, value, valued := strings.Cut(m, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !valued || !memberForm.MatchString(name) {
			if !printable.MatchString(m) {
				return fmt.Errorf("member %q: write NAME=VALUE, as in team_id=$account.id", m)
			}
			w.unclear = append(w.unclear, name)
			continue
		}
		if !valueForm.MatchString(value) {
			return fmt.Errorf("member %q: a value is text, or one of the language's, as in team_id=$account.id", m)
		}
		w.members = append(w.members, [2]string{name, value})
	}
	return nil
}

var printable = regexp.MustCompile(`^[ -~]{1,200}$`)
