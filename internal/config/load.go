package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

// Sources are where a configuration comes from. A flag outweighs the
// environment, which outweighs the file.
type Sources struct {
	File    string   // its path; empty: none
	Environ []string // as os.Environ gives it
	Flags   []Flag
}

// Flag is a key given on the command line.
type Flag struct {
	Name  string // as typed: --public-url
	Key   string // public_url
	Value string
}

// Load reads a configuration. Warnings come also with an error; an error is
// yamlfile.Problems where the sources could be read at all.
func Load(from Sources) (*Config, []string, error) {
	root := &yamlfile.Node{Position: yamlfile.Position{File: "configuration (no file; --config names one)"}, Kind: yamlfile.Mapping}
	if from.File != "" {
		var problems yamlfile.Problems
		var err error
		if root, problems, err = readFile(from.File); err != nil {
			return nil, nil, err
		}
		if problems != nil {
			return nil, nil, problems
		}
	}
	if root.Kind != yamlfile.Mapping {
		return nil, nil, root.Decode(defaults())
	}
	warnings, problems := overlay(root, from)
	c := defaults()
	problems = append(problems, root.Decode(c)...)
	r := &report{root: root, problems: problems}
	c.check(r)
	c.anchor(root, filepath.Dir(from.File))
	warnings = append(warnings, c.warnings(root, from.File)...)
	r.problems.Sort()
	return c, warnings, r.problems.Err()
}

func readFile(path string) (*yamlfile.Node, yamlfile.Problems, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("the configuration: %w", err)
	}
	root, problems := yamlfile.Read(path, data)
	if problems == nil && root.Kind == yamlfile.Null {
		root.Kind = yamlfile.Mapping
	}
	return root, problems, nil
}

// anchor makes the paths of the file relative to the file, wherever the command
// was started; those of the environment and flags are relative to where it was.
func (c *Config) anchor(root *yamlfile.Node, dir string) {
	anchored := func(path, key string) string {
		n := find(root, key)
		if path == "" || n == nil || n.Line == 0 || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		c.Database = "sqlite:" + anchored(path, "database")
	}
	c.SecretKeyFile = anchored(c.SecretKeyFile, "secret_key_file")
	c.TLS.CertFile = anchored(c.TLS.CertFile, "tls.cert_file")
	c.TLS.KeyFile = anchored(c.TLS.KeyFile, "tls.key_file")
	c.Routes = anchored(c.Routes, "routes")
	c.Branding.Logo = anchored(c.Branding.Logo, "branding.logo")
	for i := range c.Dialects {
		c.Dialects[i].File = anchored(c.Dialects[i].File, "dialects")
	}
}

// find follows a path of keys.
func find(n *yamlfile.Node, path string) *yamlfile.Node {
	for key := range strings.SplitSeq(path, ".") {
		if n = n.Member(key); n == nil {
			return nil
		}
	}
	return n
}

// SQLitePath is the database's file; empty for PostgreSQL.
func (c *Config) SQLitePath() string {
	path, ok := strings.CutPrefix(c.Database, "sqlite:")
	if !ok {
		return ""
	}
	return path
}
