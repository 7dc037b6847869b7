package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// Assets are the files that pages name. Each is served under a name with its
// own hash, so a browser may keep it for ever.
type Assets struct {
	paths map[string]string // "style.css" -> "/assets/style.0123456789ab.css"
	files map[string]asset  // by path
}

type asset struct {
	content   []byte
	mediaType string
}

func newAssets(brand Brand) (*Assets, error) {
	a := &Assets{paths: map[string]string{}, files: map[string]asset{}}
	style, err := assetFiles.ReadFile("assets/style.css")
	if err != nil {
		return nil, err
	}
	palette, err := brand.palette()
	if err != nil {
		return nil, err
	}
	icon, err := assetFiles.ReadFile("assets/icon.svg")
	if err != nil {
		return nil, err
	}
	icon = []byte(strings.ReplaceAll(string(icon), defaultColour, brand.Colour))
	a.add("style.css", append([]byte(palette), style...), "text/css; charset=utf-8")
	a.add("icon.svg", icon, "image/svg+xml")
	if err := a.addRest(); err != nil {
		return nil, err
	}
	if len(brand.Logo) > 0 {
		a.add("logo"+logoEndings[brand.LogoType], brand.Logo, brand.LogoType)
		a.paths["logo"] = a.paths["logo"+logoEndings[brand.LogoType]]
	} else {
		a.paths["logo"] = a.paths["icon.svg"]
	}
	return a, nil
}

// addRest takes along what only some pages have; those name it.
func (a *Assets) addRest() error {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	files, err := fs.Glob(assetFiles, "assets/*.*s")
	for _, file := range files {
		content, err := assetFiles.ReadFile(file)
		if err != nil {
			return err
		}
		if name := path.Base(file); a.paths[name] == "" {
			a.add(name, content, types[path.Ext(name)])
		}
	}
	return err
}

func (a *Assets) add(name string, content []byte, mediaType string) {
	sum := sha256.Sum256(content)
	ending := path.Ext(name)
	p := "/assets/" + strings.TrimSuffix(name, ending) + "." + hex.EncodeToString(sum[:6]) + ending
	a.paths[name] = p
	a.files[p] = asset{content, mediaType}
}

// Path is where an asset is served.
func (a *Assets) Path(name string) (string, error) {
	if p, ok := a.paths[name]; ok {
		return p, nil
	}
	return "", fmt.Errorf("ui: no asset named %q", name)
}

// Serve answers GET /assets/… and GET /favicon.ico; it reports false, and
// writes nothing, for any other path.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) bool {
	p, keep := r.URL.Path, "public, max-age=31536000, immutable"
	if p == "/favicon.ico" {
		p, keep = a.paths["icon.svg"], "public, max-age=86400"
	}
	file, ok := a.files[p]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(file.content)))
	h.Set("Cache-Control", keep)
	h.Set("Content-Security-Policy", policy+"; sandbox") // an image opened by itself runs nothing either
	if r.Method != http.MethodHead {
		_, _ = w.Write(file.content) // the browser went away: nothing to tell it
	}
	return true
}

// palette turns the brand colour into the few that the style sheet uses, each
// legible where it stands in both schemes.
func (b Brand) palette() (string, error) {
	c, err := parseColour(b.Colour)
	if err != nil {
		return "", err
	}
	night := colour{0x15, 0x1a, 0x21}.scaled(1. / 255) // --surface of the dark scheme
	light, dark := c.legible(white, black, 5.5), c.vivid().legible(night, white, 7)
	return fmt.Sprintf(`:root{--accent:%s;--accent-strong:%s;--on-accent:#ffffff}
@media (prefers-color-scheme:dark){:root{--accent:%s;--accent-strong:%s;--on-accent:#0b0e12}}
`, light, light.towards(black, 0.18), dark, dark.towards(white, 0.22)), nil
}
