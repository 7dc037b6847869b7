package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"postern.dev/postern/internal/record"
	"postern.dev/postern/internal/yamlfile"
)

// dialectRecord writes transcripts of what an old server says.
type dialectRecord struct {
	Listen   string            `placeholder:"ADDR" help:"Where the recorder listens, as in 127.0.0.1:9000."`
	Upstream string            `placeholder:"URL" help:"The old server, as in https://login.example.com."`
	HAR      string            `name:"har" placeholder:"FILE" help:"Read what a browser has saved instead of listening; --upstream then says whose requests count."`
	Out      string            `default:"." placeholder:"DIR" help:"Where the transcripts go."`
	Only     []string          `placeholder:"PATH" help:"Keep only requests whose path begins so; may be given several times."`
	ClientID []string          `name:"client-id" placeholder:"ID" help:"An app's id that stands in paths and nowhere else; may be given several times."`
	Call     map[string]string `placeholder:"MEANING=WORD" help:"What the wire calls code, state, error, client_id, client_secret, redirect_uri, scope or a token, where it is not the RFCs' word; may be given several times."`
	JSON     bool              `help:"Print for programs what was written."`
}

// Help is shown by --help.
func (dialectRecord) Help() string {
	return `Stands before a live OAuth server as a proxy, and writes a transcript for each app
that talks through it. Point an app's authorize link and its machine at the
recorder, connect once, deny once, refresh, disconnect, make a few mistakes; end
with Ctrl-C. Then let "dialect replay" compare.

A redirect to the partner is known by code or error, an app by client_id, HTTP Basic or
--client-id. What the wire calls otherwise is told by --call.

Secrets, codes and tokens become names, and so does whatever the answers of a
success say of people and accounts. People's pages, passwords and cookies are
never kept. Read the transcripts before you pass them on all the same.

Examples:
  postern dialect record --listen 127.0.0.1:9000 --upstream https://login.example.com --out acme
  postern dialect record --listen 127.0.0.1:9000 --upstream https://login.example.com --call code=ticket --call state=nonce --call "client_secret=header X-App-Secret"
  postern dialect record --har login.example.com.har --out acme
  postern dialect replay acme.yaml acme`
}

// Run is what the command does.
func (c *dialectRecord) Run(t *terminal) error {
	upstream, err := c.upstream()
	switch {
	case err != nil:
		return t.misused("%s", err)
	case c.HAR == "" && (c.Listen == "" || c.Upstream == ""):
		return t.misused("say where to listen and what to record, as in --listen 127.0.0.1:9000 --upstream https://login.example.com, or --har FILE")
	case c.HAR != "" && c.Listen != "":
		return t.misused("--har reads a file; --listen has no place beside it")
	}
	for meaning := range c.Call {
		if !slices.Contains(record.Meanings, meaning) {
			return t.misused("--call takes MEANING=WORD, as in --call code=ticket; %q is nothing that the recorder looks for%s", meaning, yamlfile.Suggest(meaning, record.Meanings))
		}
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	tape := &tape{dir: c.Out, options: record.Options{Only: c.Only, ClientIDs: c.ClientID, Words: c.words()}, names: map[string]string{}}
	if c.HAR != "" {
		err = tape.read(c.HAR, upstream.Host)
	} else {
		err = c.serve(t, tape, upstream)
	}
	if err != nil {
		return err
	}
	written, err := tape.write()
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(written)
	}
	for _, w := range written {
		t.say("%s: %s", w.File, counted(w.Exchanges, "request"))
	}
	if len(written) == 0 {
		return errors.New("nothing went by that belongs into a transcript: requests of a partner's machine, without cookies, and redirects to a partner with code or error; --call tells what the wire calls these")
	}
	return nil
}

// misused tells that a command line is wrong in a way that its parser cannot see.
func (t *terminal) misused(format string, args ...any) error {
	t.warn(format, args...)
	return exit(misuse)
}

// words are what the wire calls things, by its own words.
func (c *dialectRecord) words() record.Words {
	words := record.Words{}
	for meaning, word := range c.Call {
		if header, ok := strings.CutPrefix(word, "header "); ok {
			word = "header " + http.CanonicalHeaderKey(header)
		}
		words[word] = meaning
	}
	return words
}

func (c *dialectRecord) upstream() (*url.URL, error) {
	u, err := url.Parse(c.Upstream)
	if err != nil || c.Upstream != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
		return nil, fmt.Errorf("--upstream %q is no server's address; write one as in https://login.example.com", c.Upstream)
	}
	u.Path = ""
	return u, nil
}

// writeEvery is how much of a recording a power cut may take.
const writeEvery = 2 * time.Second

// serve records until the program is told to end.
func (c *dialectRecord) serve(t *terminal, tape *tape, upstream *url.URL) error {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	ctx, stop := untilSignalled()
	defer stop()
	s := &http.Server{Handler: record.Proxy(upstream, tape.add), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	if !c.JSON {
		t.say("Recording http://%s, which passes everything on to %s. End with Ctrl-C.", l.Addr(), upstream)
	}
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-served:
			return err
		case <-tick.C:
			if _, err := tape.write(); err != nil {
				return errors.Join(err, s.Close())
			}
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.Background(), writeEvery)
			defer cancel()
			if s.Shutdown(ending) != nil { // somebody is still being answered
				return s.Close()
			}
			return nil
		}
	}
}

// tape is what went by so far, and the files it is written to.
type tape struct {
	dir     string
	options record.Options

	mu      sync.Mutex
	all     []*record.Exchange
	changed bool
	names   map[string]string // of files, by what the transcript is called
	written []written
}

// written is a transcript on disk.
type written struct {
	File      string `json:"file"`
	Exchanges int    `json:"exchanges"`
}

func (p *tape) add(x *record.Exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.changed = append(p.all, x), true
}

func (p *tape) read(file, host string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if p.all, err = record.ReadHAR(data, host); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p.changed = true
	return nil
}

// write writes all transcripts anew. Files that were there before are left
// alone.
func (p *tape) write() ([]written, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.changed {
		return p.written, nil
	}
	p.changed, p.written = false, []written{}
	unused := maps.Clone(p.names) // what a later request showed to be another app's
	for _, one := range record.Transcripts(p.all, p.options) {
		file, err := p.file(record.FileName(one))
		if err != nil {
			return nil, err
		}
		if err := replace(file, one.String()); err != nil {
			return nil, err
		}
		delete(unused, record.FileName(one))
		p.written = append(p.written, written{file, one.Exchanges()})
	}
	for name, file := range unused {
		delete(p.names, name)
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return p.written, nil
}

// file is a name that nothing had before this recording.
func (p *tape) file(name string) (string, error) {
	if p.names[name] != "" {
		return p.names[name], nil
	}
	stem, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
	for n := 1; ; n++ {
		file := filepath.Join(p.dir, name)
		f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			p.names[stem+ext] = file
			return file, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		name = fmt.Sprintf("%s-%d%s", stem, n+1, ext)
	}
}

// replace writes a file as a whole or not at all.
func replace(file, text string) error {
	next := file + ".new"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(next, file)
}
