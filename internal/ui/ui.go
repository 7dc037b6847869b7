// Package ui is how Postern looks and speaks in a browser: the templates, the
// style sheet, the icon, one struct for each page, and the words. It decides
// nothing: a door fills a struct and calls Pages.Write.
//
// A page needs no JavaScript, asks no other host for anything, and weighs a few
// kilobytes. What is dangerous about pages in general (framing, sniffing, inline
// code, caching) is ruled out by Headers.
package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:embed templates/*.html
var templates embed.FS

// Page is a typed value that one template of the same name renders.
type Page interface {
	// Name is the template's file name without its ending.
	Name() string
	// Title is the document's title, before the product's name.
	Title() Text
}

// Scripted is a page that a little JavaScript makes better. Without it the page
// works as well.
type Scripted interface {
	// Scripts are the names of assets.
	Scripts() []string
}

// Pages render and serve everything that a browser sees.
type Pages struct {
	Assets  *Assets
	HTTPS   bool // public_url is https: the cookie that keeps a language stays there
	brand   Brand
	pages   map[string]map[string]readPage // by language and name
	spoken  map[string]pageLanguage
	tags    []language.Tag // of the languages; the first is for who asks for none
	matcher language.Matcher
}

// readPage gives a page's template, which is read when it is first asked for: most
// nodes never show most pages in most languages.
type readPage func() (*template.Template, error)

// File is an asset of somebody else's that pages name.
type File struct {
	Name      string
	Content   []byte
	MediaType string
}

// New prepares the pages under an operator's brand.
func New(brand Brand, files ...File) (*Pages, error) {
	brand, err := brand.withDefaults()
	if err != nil {
		return nil, err
	}
	assets, err := newAssets(brand)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		assets.add(f.Name, f.Content, f.MediaType)
	}
	p := &Pages{Assets: assets, brand: brand, pages: map[string]map[string]readPage{}, spoken: map[string]pageLanguage{}}
	spoken, err := languages()
	if err != nil {
		return nil, err
	}
	for _, l := range spoken {
		if p.pages[l.tag], err = parse(l, assets); err != nil {
			return nil, err
		}
		p.spoken[l.tag] = l
		p.tags = append(p.tags, language.Make(l.tag))
	}
	p.matcher = language.NewMatcher(p.tags)
	return p, nil
}

// parse finds all templates for one language.
func parse(l pageLanguage, assets *Assets) (map[string]readPage, error) {
	layout := sync.OnceValues(func() (*template.Template, error) {
		return template.New("layout.html").Funcs(words).
			Funcs(template.FuncMap{"asset": assets.Path, "say": l.say, "anyof": l.anyOf, "day": l.day, "date": l.date, "moment": l.moment, "number": l.number, "language": func() string { return l.tag }}).
			ParseFS(templates, "templates/layout.html", "templates/parts*.html")
	})
	files, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]readPage{}
	for _, file := range files {
		name := pageName(file)
		if name == "layout" || strings.HasPrefix(name, "parts") {
			continue
		}
		pages[name] = sync.OnceValues(func() (*template.Template, error) {
			around, err := layout()
			if err != nil {
				return nil, err
			}
			own, err := around.Clone()
			if err != nil {
				return nil, err
			}
			return own.ParseFS(templates, file)
		})
	}
	return pages, nil
}

func pageName(file string) string {
	const dir, ending = "templates/", ".html"
	return file[len(dir) : len(file)-len(ending)]
}

// Brand is the operator's name and look, complete.
func (p *Pages) Brand() Brand { return p.brand }

// frame is what the layout sees: the page, and what all pages have in common.
type frame struct {
	Page
	Brand     Brand
	Languages []languageLink // to choose from; may be empty
}

// Scripts are those of the page; most have none.
func (f frame) Scripts() []string {
	var all []string
	if s, ok := f.Page.(Scripted); ok {
		all = s.Scripts()
	}
	if _, ok := f.Page.(dated); ok {
		all = append(all[:len(all):len(all)], "time.js")
	}
	return all
}

// dated are pages with times on them: a script shows those in the reader's zone.
type dated interface{ dated() }

// Render gives the HTML of a page in a language that we have.
func (p *Pages) Render(language string, page Page) ([]byte, error) {
	return p.render(language, page, nil)
}

func (p *Pages) render(language string, page Page, choices []languageLink) ([]byte, error) {
	read, ok := p.pages[language][page.Name()]
	if !ok {
		return nil, fmt.Errorf("ui: no template named %q", page.Name())
	}
	t, err := read()
	if err != nil {
		return nil, fmt.Errorf("ui: page %s: %w", page.Name(), err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, frame{page, p.brand, choices}); err != nil {
		return nil, fmt.Errorf("ui: page %s: %w", page.Name(), err)
	}
	return out.Bytes(), nil
}

// Write answers with a page in the reader's language. Nothing is sent before the
// whole page is rendered, so a person never sees half of one. Headers has set the
// rest.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, page Page) error {
	reader := p.Language(r)
	html, err := p.render(reader, page, p.choices(r, reader))
	if err != nil {
		http.Error(w, "This page could not be shown. Please try again in a moment.", http.StatusInternalServerError)
		return err
	}
	if len(frame{Page: page}.Scripts()) > 0 {
		allowScripts(w.Header())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", reader)
	w.Header().Add("Vary", "Accept-Language, Cookie")
	p.keepChoice(w, r)
	w.Header().Set("Content-Length", strconv.Itoa(len(html)))
	w.WriteHeader(status)
	_, err = w.Write(html)
	return err
}
