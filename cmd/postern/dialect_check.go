package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/replay"
	"postern.dev/postern/internal/yamlfile"
)

// finding is one thing that a check found: in a dialect's file, or between a
// transcript and the answers.
type finding struct {
	dialect.Finding
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
}

// Error is the line that people read, and both sides where there are two.
func (f finding) Error() string {
	if f.Want == "" && f.Got == "" {
		return f.Problem.Error()
	}
	return replay.Difference{File: f.File, Line: f.Line, What: f.Msg, Want: f.Want, Got: f.Got}.String()
}

// examine looks a file over: form, lints, and, where these find no mistake, the
// transcripts beside it. It also counts these.
func examine(file string, data []byte, others *dialect.Set) (all []finding, played int, err error) {
	mistaken := false
	for _, f := range dialect.Check(file, data, others) {
		mistaken = mistaken || !f.Warning
		all = append(all, finding{Finding: f})
	}
	if mistaken {
		return all, 0, nil
	}
	d, err := dialect.Library{}.Compile(file, data)
	if err != nil {
		return all, 0, err
	}
	files := beside(file, d.Name())
	reports, err := play(context.Background(), config.Mount{File: file}, files)
	if problems, ok := errors.AsType[yamlfile.Problems](err); ok {
		for _, p := range problems {
			all = append(all, finding{Finding: dialect.Finding{Problem: p}})
		}
		return all, len(files), nil
	}
	for _, r := range reports {
		for _, d := range r.Differences {
			at := yamlfile.Position{File: d.File, Line: d.Line}
			all = append(all, finding{dialect.Finding{Problem: yamlfile.Problem{Position: at, Msg: d.What}}, d.Want, d.Got})
		}
	}
	return all, len(files), err
}

// faultless is what is said of files that nothing is wrong with.
func faultless(files []string, played int) string {
	said := strings.Join(slices.Compact(files), ", ") + ": nothing to find fault with"
	if played > 0 {
		said += "; " + counted(played, "transcript") + " answered as written"
	}
	return said
}
