package server

import (
	"fmt"
	"os"
	"sync"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/yamlfile"
)

// usual are the mounts of a configuration that names none: each dialect at the
// place that its file says.
var usual = []config.Mount{{Name: "xref"}, {Name: "xeebo"}, {Name: "standard"}}

// Library is the dialects' library under this configuration.
func Library(cfg *config.Config) dialect.Library {
	l := cfg.Lifetimes
	return dialect.Library{Lifetimes: dialect.Lifetimes{
		Code: l.Code, Access: l.Access, Refresh: l.Refresh, Absolute: l.RefreshAbsolute.Of, Window: l.RetryWindow,
	}}
}

// Mounts reads the dialects that a configuration names and mounts them side by
// side. All that is wrong with any of them is told at once.
func Mounts(cfg *config.Config) (*dialect.Set, error) {
	mounts := cfg.Dialects
	if mounts == nil {
		mounts = usual
	}
	library := Library(cfg)
	mounted, errs := make([]*dialect.Dialect, len(mounts)), make([]error, len(mounts))
	var all sync.WaitGroup
	for i, m := range mounts {
		all.Go(func() { mounted[i], errs[i] = mount(library, m) })
	}
	all.Wait()
	var problems yamlfile.Problems
	for i, err := range errs {
		switch err := err.(type) {
		case nil:
		case yamlfile.Problems:
			problems = append(problems, err...)
		default:
			problems = append(problems, atMount(mounts[i], err))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	set, err := dialect.NewSet(mounted...)
	if err != nil {
		return nil, fmt.Errorf("dialects: %w", err)
	}
	return set, nil
}

func mount(library dialect.Library, m config.Mount) (*dialect.Dialect, error) {
	d, err := read(library, m)
	if err != nil {
		return nil, err
	}
	return d.Mounted(m.Base, m.Hosts)
}

func read(library dialect.Library, m config.Mount) (*dialect.Dialect, error) {
	if m.File == "" {
		return library.Builtin(m.Name)
	}
	data, err := os.ReadFile(m.File)
	if err != nil {
		return nil, err
	}
	return library.Compile(m.File, data)
}

// atMount tells a problem at the place where the configuration names the dialect.
func atMount(m config.Mount, err error) yamlfile.Problem {
	if m.Node == nil {
		return yamlfile.Problem{Position: yamlfile.Position{File: "dialects"}, Msg: err.Error()}
	}
	return m.Node.Problem("%s", err)
}
