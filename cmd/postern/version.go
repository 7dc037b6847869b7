package main

import (
	"runtime"
	"runtime/debug"
)

// version prints which Postern this is.
type version struct {
	JSON bool `help:"Print for programs."`
}

// Help is shown by --help.
func (version) Help() string {
	return `Example:
  postern version --json`
}

// Run is what the command does.
func (v *version) Run(t *terminal) error {
	is := struct {
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok {
		if build.Main.Version != "" {
			is.Version = build.Main.Version
		}
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				is.Revision = s.Value
			}
		}
	}
	if v.JSON {
		return t.json(is)
	}
	t.say("postern %s (%s, %s)", is.Version, is.Go, is.Platform)
	return nil
}
