package draft

import (
	"fmt"
	"slices"
	"strings"
)

// file is the dialect's file.
func (w *wire) file() string {
	parts := []string{w.head(), w.tokens(), w.scopes(), w.authorizeBlock(), w.tokenBlock(), w.refreshBlock(), w.apiBlock(), w.revokeBlock(), w.tail()}
	return strings.Join(parts, "")
}

func (w *wire) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The wire of an old server, as far as it was told: a first version. Compare it
# with the old server: "postern dialect record" writes down what that one says,
# "postern dialect replay" what this one says otherwise. docs/dialects.md has the
# whole language.
language: 1
name: %s
`, w.Name)
	if hosts := w.knownHosts(); hosts != "" {
		b.WriteString("# Bound to hosts of its own, and not to whatever host is asked:\n# hosts: " + hosts + "\n")
	}
	fmt.Fprintf(&b, `# Whom a connection belongs to: user, or account (then any member may end it).
level: %s
# Apps with a secret may leave PKCE out, as long as some do. Then: required.
pkce: optional
# Ask again each time: always. Remember a yes: remembered.
consent: remembered
`, w.Level)
	return b.String()
}

func (w *wire) knownHosts() string {
	if len(w.hosts) < 2 || w.hosts[0] == "" || w.hosts[1] == "" {
		return ""
	}
	return fmt.Sprintf("{login: %s, api: %s}", w.hosts[0], w.hosts[1])
}

func (w *wire) tokens() string {
	code := "\n# What codes and tokens look like, and how long they live. Imported ones keep their\n# form: access: {imported: PATTERN}.\ntokens:\n" +
		"  code: {expires: 300s}\n"
	switch {
	case w.refresh != "":
		return code + "  access: {expires: 1h}\n" +
			"  # rotate: always gives a new refresh token each time; idle is counted from the last use.\n" +
			"  refresh: {rotate: never, idle: 180d}\n"
	case w.revoke != "":
		return code + "  # There is no refresh, so a token lives until it is revoked.\n  access: {expires: never}\n  refresh: none\n"
	}
	return code + "  # There is no refresh, so a token lives long. It could live for ever if apps could\n" +
		"  # end it: see revoke.\n  access: {expires: 3650d}\n  refresh: none\n"
}

func (w *wire) scopes() string {
	if w.ScopeSeparator == "none" {
		return "\nscopes: none\n"
	}
	split := `[" "]`
	if w.ScopeSeparator != " " {
		split = fmt.Sprintf(`[%q, " "]`, w.ScopeSeparator) // generic clients write spaces
	}
	return fmt.Sprintf("\n# How scopes are written. Where a request names none: absent.\nscopes: {split: %s, join: %q, absent: defaults}\n", split, w.ScopeSeparator)
}

func (w *wire) authorizeBlock() string {
	return fmt.Sprintf(`
authorize:
  at: GET %s
  # Parameters of other names: read: {state: query xstate}. Ones that may be left out:
  absent: {response_type: code, redirect_uri: the registered one}
  # What the callback says, in this order.
  callback:
    allowed: {code: $code, state: $state}
    failed: {error: $error, error_description: $error_description, state: $state}
`, w.authorize)
}

func (w *wire) tokenBlock() string {
	return fmt.Sprintf(`
token:
  at: POST %s
  accepts: [%s]
%s  absent: {grant_type: authorization_code, redirect_uri: skip}
  # The answer, member by member. Other names and forms: expires_at: $expires_at.unix
  answer:
%s  # Other words, statuses and shapes of errors:
  # errors: {status: 400, names: {invalid_grant: bad_verification_code}, body: {error: $error}}
`, w.token, w.Body, w.reads(), w.answer())
}

// reads says where the app's credentials are, where it is not both places.
func (w *wire) reads() string {
	switch w.ClientAuth {
	case "basic":
		return "  read: {client_id: basic user, client_secret: basic password}\n"
	case "body":
		return "  read: {client_id: body client_id, client_secret: body client_secret}\n"
	}
	return "  # The secret is taken by HTTP Basic and in the body. Only one of them:\n" +
		"  # read: {client_id: basic user, client_secret: basic password}\n"
}

func (w *wire) answer() string {
	members := [][2]string{{"access_token", "$access_token"}, {"token_type", "$token_type"}, {"expires_in", "$expires_in"}}
	if w.refresh != "" {
		members = append(members, [2]string{"refresh_token", "$refresh_token"})
	}
	if w.ScopeSeparator != "none" {
		members = append(members, [2]string{"scope", "$scope"})
	}
	if w.refresh == "" && w.revoke != "" { // it never expires
		members = slices.Delete(members, 2, 3)
	}
	for _, m := range w.Answers.further(w.members) {
		members = slices.DeleteFunc(members, func(o [2]string) bool { return o[0] == m[0] })
		members = append(members, m)
	}
	var b strings.Builder
	for _, m := range members {
		value := m[1]
		if !strings.HasPrefix(value, "$") {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(&b, "    %s: %s\n", m[0], value)
	}
	for _, name := range w.unclear {
		fmt.Fprintf(&b, "    # The old server also says %s. What is it? $account.id, $user.id, $user.email …\n", name)
	}
	return b.String()
}

// further are the members beside the usual ones; the last of a name counts.
func (*Answers) further(all [][2]string) (out [][2]string) {
	for _, m := range all {
		out = slices.DeleteFunc(out, func(o [2]string) bool { return o[0] == m[0] })
		out = append(out, m)
	}
	return out
}

func (w *wire) refreshBlock() string {
	if w.refresh == "" || w.refresh == "same" {
		return ""
	}
	return fmt.Sprintf("\n# Refreshing has an address of its own.\nrefresh:\n  at: POST %s\n  accepts: [%s]\n%s  answer:\n%s", w.refresh, w.Body, w.reads(), w.answer())
}

func (w *wire) apiBlock() string {
	name, isQuery := strings.CutPrefix(w.TokenPlace, "query ")
	text := fmt.Sprintf("\n# How a token is shown to the API. A list gives alternatives.\napi: {read: {access_token: %s}}\n", w.TokenPlace)
	if isQuery {
		text += fmt.Sprintf("# Addresses are logged everywhere; partners should move on to a header.\ninsecure_token_in_url: {because: the old server has it in the query as %s}\n", name)
	}
	return text + "# A test call for partners, as in:\n# whoami: {at: GET /me, answer: {id: $user.id}}\n"
}

func (w *wire) revokeBlock() string {
	if w.revoke == "" {
		return "\n# Apps cannot end a token; people can. To let apps, too:\n# revoke: [{at: POST /oauth/revoke}]\nrevoke: none\n"
	}
	return fmt.Sprintf("\n# As RFC 7009 has it. By the token itself: {by: holder, read: {token: scheme Bearer}}.\nrevoke:\n  - at: POST %s\n    accepts: [%s]\n", w.revoke, w.Body)
}

func (w *wire) tail() string {
	tail := "\nintrospect: none\nmetadata: none\n"
	if len(w.Ignored) > 0 {
		tail += "\n# What the entry also had, and is not said here:\n"
		for _, key := range w.Ignored {
			tail += "#   " + key + "\n"
		}
	}
	return tail
}
