package main

import (
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/server"
)

// dialectDocs writes a partner's guide.
type dialectDocs struct {
	optional
	HTML      bool   `name:"html" help:"As one page that needs nothing else, instead of Markdown."`
	Lang      string `default:"en" placeholder:"TAG" help:"The guide's language: en or de."`
	PublicURL string `name:"public-url" placeholder:"URL" help:"The origin that partners use; by default the configuration's."`
	Name      string `arg:"" help:"A dialect, or its file."`
}

// Help is shown by --help.
func (dialectDocs) Help() string {
	return `The guide is made from the dialect's file: the Connect link, the callback, each request
in curl, Node, Python, Go and PHP, the errors, the lives of tokens, webhooks. With a
configuration or --public-url it names your own addresses; with the configuration's
rules for routes, it says which scopes each call of your API needs.

Examples:
  postern dialect docs xref --config postern.yaml > partners.md
  postern dialect docs acme.yaml --html --public-url https://connect.acme.example > partners.html
  postern dialect docs xref --lang de > partner.md`
}

// Run is what the command does.
func (c *dialectDocs) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	d, err := c.dialect(cfg)
	if err != nil {
		return err
	}
	origin, err := c.origin(t, cfg)
	if err != nil {
		return err
	}
	calls, err := c.calls(cfg, d)
	if err != nil {
		return err
	}
	pages, err := server.Pages(cfg)
	if err != nil {
		return err
	}
	say, ok := pages.Sayer(c.Lang)
	if !ok {
		return t.misused("--lang %s is no language that guides are written in; there are %s", c.Lang, strings.Join(pages.Languages(), ", "))
	}
	in := dialect.Language{Tag: c.Lang, Say: say}
	text := d.Guide(in, origin, calls...)
	if c.HTML {
		style, icon := pages.Assets.Inline()
		text = d.GuideHTML(in, origin, dialect.Look{Name: pages.Brand().Name, Style: style, Icon: icon}, calls...)
	}
	_, err = io.WriteString(t.out, text)
	return err
}

// dialect is the one that the command names, as it is mounted if it is.
func (c *dialectDocs) dialect(cfg *config.Config) (*dialect.Dialect, error) {
	if filepath.Ext(c.Name) == "" {
		return find(cfg, c.Name)
	}
	return compiled(c.Name)
}

// calls are what each call of the operator's API needs, by the rules for routes.
func (c *dialectDocs) calls(cfg *config.Config, d *dialect.Dialect) ([]dialect.Call, error) {
	mounted, err := mounts(cfg)
	if err != nil {
		return nil, err
	}
	table, err := server.Routes(cfg, mounted)
	if err != nil || table == nil {
		return nil, err
	}
	return server.Calls(table, d), nil
}

// origin is where partners reach the server.
func (c *dialectDocs) origin(t *terminal, cfg *config.Config) (string, error) {
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
			return "", t.misused("--public-url %s is no origin; write it as https://connect.example.com", c.PublicURL)
		}
		return strings.TrimSuffix(c.PublicURL, "/"), nil
	}
	if cfg != nil {
		return cfg.PublicURL, nil
	}
	return "https://connect.example.com", nil
}
