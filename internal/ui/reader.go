package ui

import (
	"net/http"
	"time"

	"golang.org/x/text/language"
)

// languageNames are what readers call the languages that we have.
var languageNames = map[string]string{English: "English", "de": "Deutsch"}

// chosenLanguage is the query parameter of the links in the footer.
const chosenLanguage = "lang"

// choiceLife is how long a browser keeps the choice: the longest that they keep
// anything.
const choiceLife = 400 * 24 * time.Hour

// Languages are the tags of all that we have, English first.
func (p *Pages) Languages() []string {
	var all []string
	for _, tag := range p.tags {
		all = append(all, tag.String())
	}
	return all
}

// languageLink is one of the footer's.
type languageLink struct {
	Tag, Name string
	Path      string // this page, in that language
	Current   bool
}

// Language picks the language of a request: that of the link that was followed, or
// what was chosen so before, or the best that we have of those that the browser
// asks for (RFC 9110 §12.5.4).
func (p *Pages) Language(r *http.Request) string {
	if chosen := p.chosen(r); chosen != "" {
		return chosen
	}
	if kept, err := r.Cookie(p.choiceCookie()); err == nil && p.pages[kept.Value] != nil {
		return kept.Value
	}
	asked, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(asked) == 0 {
		return p.tags[0].String()
	}
	_, i, confidence := p.matcher.Match(asked...)
	if confidence == language.No {
		i = 0
	}
	return p.tags[i].String()
}

// chosen is the language of a link in the footer that led here; "": none did.
func (p *Pages) chosen(r *http.Request) string {
	if chosen := r.URL.Query().Get(chosenLanguage); p.pages[chosen] != nil {
		return chosen
	}
	return ""
}

// keepChoice lets the browser remember what was chosen. It is nobody's secret,
// and says nothing of who chose.
func (p *Pages) keepChoice(w http.ResponseWriter, r *http.Request) {
	if chosen := p.chosen(r); chosen != "" {
		http.SetCookie(w, &http.Cookie{
			Name: p.choiceCookie(), Value: chosen, Path: "/", MaxAge: int(choiceLife / time.Second),
			HttpOnly: true, Secure: p.HTTPS, SameSite: http.SameSiteLaxMode,
		})
	}
}

func (p *Pages) choiceCookie() string {
	if p.HTTPS {
		return "__Host-postern_language"
	}
	return "postern_language"
}

// longestQuery is how much of a request the links of the footer repeat, in bytes.
const longestQuery = 512

// choices are the links of the footer: to the same page in each language. What
// answers a form has none, since it cannot be asked for again; nor has what was
// asked for with more than a page of ours ever is.
func (p *Pages) choices(r *http.Request, reader string) []languageLink {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.URL.RawQuery) > longestQuery {
		return nil
	}
	var links []languageLink
	for _, tag := range p.tags {
		query := r.URL.Query()
		query.Set(chosenLanguage, tag.String())
		links = append(links, languageLink{tag.String(), languageNames[tag.String()], "?" + query.Encode(), tag.String() == reader})
	}
	return links
}
