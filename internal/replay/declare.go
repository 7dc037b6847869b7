package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern/internal/transcript"
)

// app declares an app, or what has changed of it. What a transcript does not
// say, only a new one is given.
func (s *stage) app(ctx context.Context, a *transcript.App) error {
	id := transcript.Get(a.Settings, "client_id")
	app := map[string]any{"client_id": id}
	if !s.declared["app "+id] {
		s.declared["app "+id] = true
		s.giveDefaults(app, a)
	}
	partner := "Partner"
	for _, set := range a.Settings {
		switch set.Key {
		case "partner":
			partner = set.Value
		case "client_secret":
			giveSecret(app, set.Value)
		case "redirect_uri":
			all, _ := app["redirect_urls"].([]string)
			app["redirect_urls"] = append(all, set.Value)
		case "scopes", "default_scopes", "also", "grants", "connect_roles":
			app[set.Key] = words(set.Value)
		case "public", "iss":
			app[set.Key] = set.Value == "true"
		default:
			put(app, set)
		}
	}
	return s.apply(ctx, a.Line, map[string]any{"scopes": catalogue(app["scopes"], app["default_scopes"]),
		"partners": []any{map[string]any{"name": partner, "apps": []any{app}}}})
}

// giveDefaults gives a new app what every app has. One that does not say which
// scopes it may ask for may ask for all that the transcript names.
func (s *stage) giveDefaults(app map[string]any, a *transcript.App) {
	id := transcript.Get(a.Settings, "client_id")
	app["name"], app["dialect"] = id[:min(len(id), longestName)], s.dialect.Name()
	app["description"], app["url"] = "Of a transcript.", "https://partner.test"
	if transcript.Get(a.Settings, "scopes") == "" && len(s.scopes) > 0 {
		app["scopes"], app["default_scopes"] = s.scopes, s.scopes[:1]
	}
}

const longestName = 64

// giveSecret: those of a transcript are free of the rule for declared ones, which
// asks for length. A short one is given as a hash.
func giveSecret(app map[string]any, text string) {
	const longEnough = 20
	if len(text) >= longEnough {
		app["client_secret"] = text
		return
	}
	sum := sha256.Sum256([]byte(text))
	app["client_secret_hash"] = "sha256:" + hex.EncodeToString(sum[:])
}

// user declares a person in an account.
func (s *stage) user(ctx context.Context, u *transcript.User) error {
	user := map[string]any{"email": email(u.Name)}
	if key := "user " + u.Name + " of " + u.Account; !s.declared[key] {
		s.declared[key] = true
		user["password_hash"], user["role"] = s.hash, "admin"
	}
	account := map[string]any{"name": u.Account, "users": []any{user}}
	for _, set := range u.Settings {
		if key, ok := strings.CutPrefix(set.Key, "account."); ok {
			put(account, transcript.Setting{Key: key, Value: set.Value})
		} else {
			put(user, set)
		}
	}
	return s.apply(ctx, u.Line, map[string]any{"accounts": []any{account}})
}

// put sets a key of a declaration; attr.X is one of its attributes.
func put(into map[string]any, set transcript.Setting) {
	name, isAttribute := strings.CutPrefix(set.Key, "attr.")
	switch {
	case isAttribute:
		all, _ := into["attributes"].(map[string]string)
		if all == nil {
			all = map[string]string{}
		}
		all[name] = set.Value
		into["attributes"] = all
	case set.Key == "disabled":
		into[set.Key] = set.Value == "true"
	default:
		into[set.Key] = set.Value
	}
}

// email is a person's address, made of the name where that is none.
func email(name string) string {
	if strings.Contains(name, "@") {
		return name
	}
	return name + "@example.test"
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// catalogue declares the scopes of lists.
func catalogue(lists ...any) []any {
	all, seen := []any{}, map[string]bool{}
	for _, list := range lists {
		names, _ := list.([]string)
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				all = append(all, map[string]any{"name": name, "description": "May " + name})
			}
		}
	}
	return all
}

var (
	scopeParameter = regexp.MustCompile(`(?:^|[?&])(?:user_)?scope=([^&#]*)`)
	scopeName      = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)
)

// scopesOf are the scopes that the transcript's requests name. An app that does
// not say which it may ask for may ask for these.
func scopesOf(t *transcript.Transcript) (all []string) {
	for _, step := range t.Steps {
		x, ok := step.(*transcript.Exchange)
		if !ok {
			continue
		}
		said := []string{x.Request.Target.String()}
		if b := x.Request.Body; b != nil {
			said = append(said, b.Text.String())
		}
		for _, text := range said {
			for _, m := range scopeParameter.FindAllStringSubmatch(text, -1) {
				list, err := url.QueryUnescape(m[1])
				if err != nil {
					continue
				}
				for _, name := range words(list) {
					if scopeName.MatchString(name) && !slices.Contains(all, name) {
						all = append(all, name)
					}
				}
			}
		}
	}
	return all
}
