package record

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern/internal/transcript"
)

// Options say what is taken for a conversation.
type Options struct {
	// Only are the beginnings of the paths that count; none: all.
	Only []string
	// ClientIDs are ids that stand in paths, of apps that say them nowhere else.
	ClientIDs []string
	// Words are the wire's own.
	Words Words
}

// said is something that goes into a transcript: a request of a machine, or a
// question and how it was answered.
type said struct {
	request  *Exchange
	answer   *Exchange // of a question the callback; else the request's own
	callback *url.URL
	app      string // its client_id; "" until it is known
}

// Transcripts makes a transcript for each app of what went by, in order.
func Transcripts(all []*Exchange, o Options) []*transcript.Transcript {
	for _, x := range all {
		x.words = o.Words
	}
	list := conversations(withoutCallbacks(all), o)
	attribute(list, o.ClientIDs)
	var apps []string
	byApp := map[string][]*said{}
	for _, s := range list {
		if byApp[s.app] == nil {
			apps = append(apps, s.app)
		}
		byApp[s.app] = append(byApp[s.app], s)
	}
	out := make([]*transcript.Transcript, 0, len(apps))
	for _, app := range apps {
		out = append(out, newWriter(app, byApp[app]).transcript())
	}
	return out
}

// conversations are what is worth writing down.
func conversations(all []*Exchange, o Options) (list []*said) {
	for i, x := range all {
		if to := x.callback(); to != nil {
			if ask := question(all[:i+1], x, to); counts(ask, o) {
				list = append(list, &said{request: ask, answer: x, callback: to})
			}
			continue
		}
		if x.isMachine() && counts(x, o) {
			list = append(list, &said{request: x, answer: x})
		}
	}
	return list
}

func counts(x *Exchange, o Options) bool {
	return len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(begin string) bool { return strings.HasPrefix(x.path(), begin) })
}

// question is the request that led to a callback: of what the same browser did
// since its last callback, the first with the same state; without one the first
// with an app's parameters; without these the first at all.
func question(before []*Exchange, x *Exchange, to *url.URL) *Exchange {
	state, _ := x.words.of(to.Query(), "state")
	first, asking, same := x, (*Exchange)(nil), (*Exchange)(nil)
	for i := len(before) - 1; i >= 0; i-- {
		b := before[i]
		if b.From != x.From || b.isMachine() {
			continue
		}
		if b != x && b.callback() != nil {
			break
		}
		first = b
		if b.parameter("response_type") != "" || b.parameter("redirect_uri") != "" {
			asking = b
		}
		if state != "" && b.parameter("state") == state {
			same = b
		}
	}
	return cmp.Or(same, asking, first)
}

// attribute finds the app of each: what it says itself, then what shares a
// credential with one that does, then the path.
func attribute(list []*said, ids []string) {
	known := slices.Clone(ids)
	for _, s := range list {
		if s.app, _ = s.request.credentials(); s.app != "" && !slices.Contains(known, s.app) {
			known = append(known, s.app)
		}
	}
	owner := map[string]string{} // of credentials
	for range 2 {                // what comes later may tell of what came before
		for _, s := range list {
			held := s.credentials()
			for _, value := range held {
				s.app = cmp.Or(s.app, owner[value])
			}
			if s.app == "" {
				s.app = inPath(s.request.path(), known)
			}
			for _, value := range held {
				if owner[value] == "" {
					owner[value] = s.app
				}
			}
		}
	}
	if len(known) == 1 { // there is no other
		for _, s := range list {
			s.app = cmp.Or(s.app, known[0])
		}
	}
}

func inPath(path string, known []string) string {
	for segment := range strings.SplitSeq(path, "/") {
		if slices.Contains(known, segment) {
			return segment
		}
	}
	return ""
}

// secretNames are parameters and members that are credentials.
var secretNames = []string{"access_token", "refresh_token", "code", "token", "id_token", "bot_access_token"}

// credentials are those that go to and fro here.
func (s *said) credentials() (all []string) {
	for _, p := range append(s.request.parameters(), scalarsOf(mediaType(s.answer.Said), s.answer.Answer)...) {
		if slices.Contains(secretNames, s.request.words.means(p.name)) && p.value != "" {
			all = append(all, p.value)
		}
	}
	if s.callback != nil {
		if code, _ := s.request.words.of(s.callback.Query(), "code"); code != "" {
			all = append(all, code)
		}
	}
	if _, credential, ok := strings.Cut(s.request.Header.Get("Authorization"), " "); ok {
		for _, v := range spellings(strings.TrimSpace(credential)) {
			all = append(all, v)
		}
	}
	return all
}

// decision is what the person pressed.
func (s *said) decision() transcript.Decision {
	if s.callback == nil {
		return transcript.Nobody
	}
	if _, allowed := s.request.words.of(s.callback.Query(), "code"); allowed {
		return transcript.Allow
	}
	if why, _ := s.request.words.of(s.callback.Query(), "error"); why == "access_denied" {
		return transcript.Deny
	}
	return transcript.Nobody
}

// redirectURL is the app's own part of a callback.
func (s *said) redirectURL() string {
	if uri := s.request.parameter("redirect_uri"); uri != "" {
		return uri
	}
	own := *s.callback
	var kept []string
	for pair := range strings.SplitSeq(own.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if !slices.Contains([]string{"code", "state", "error", "error_description", "error_uri", "iss", "scope"}, s.request.words.means(name)) && pair != "" {
			kept = append(kept, pair)
		}
	}
	own.RawQuery, own.Fragment = strings.Join(kept, "&"), ""
	return own.String()
}

// FileName is a transcript's name in a folder.
func FileName(t *transcript.Transcript) string {
	app := "unknown-app"
	if apps := t.Apps(); len(apps) > 0 {
		app = transcript.Get(apps[0].Settings, "client_id")
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, app)
	return fmt.Sprintf("%s.txt", strings.TrimLeft(name, "."))
}
