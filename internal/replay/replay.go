// Package replay plays transcripts against a throw-away Postern that speaks one
// dialect, and tells where the answers differ from what was written down.
//
// Nothing is pretended: requests travel as HTTP through the doors of a whole
// server on a new database, and people sign in and answer on its real pages.
// Only the clock is moved by hand.
package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/transcript"
)

// Options say what is played against.
type Options struct {
	// Dialect is a built-in one by its name, or a file's.
	Dialect config.Mount
	// Database is where the throw-away Postern keeps its rows; empty: a file that is
	// removed again.
	Database string
}

// Report is what came of playing one transcript.
type Report struct {
	File        string       `json:"file"`
	Exchanges   int          `json:"exchanges"`
	Differences []Difference `json:"differences"`
}

// Play plays a transcript. The error is about the transcript or the machine;
// what the server answers otherwise than written is in the report.
func Play(ctx context.Context, t *transcript.Transcript, o Options) (r *Report, err error) {
	s, err := open(ctx, t, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p := &play{stage: s, report: &Report{File: t.File, Differences: []Difference{}},
		names: transcript.Names{"issuer": s.issuer()}, people: map[string]*person{}}
	for _, step := range t.Steps {
		if err := p.step(ctx, step); err != nil {
			return nil, err
		}
	}
	return p.report, nil
}

// play is a transcript under way.
type play struct {
	stage  *stage
	report *Report
	names  transcript.Names
	loose  bool
	people map[string]*person
	who    *person // at the browser
}

func (p *play) step(ctx context.Context, step transcript.Step) error {
	switch s := step.(type) {
	case *transcript.App:
		p.introduce(s)
		return p.stage.app(ctx, s)
	case *transcript.User:
		if p.who = p.people[s.Name]; p.who == nil {
			p.who = newPerson(p.stage, s)
			p.people[s.Name] = p.who
		}
		return p.stage.user(ctx, s)
	case *transcript.Wait:
		p.stage.clock.advance(s.For)
	case *transcript.Restart:
		return p.stage.restart(ctx)
	case *transcript.Loose:
		p.loose = true
	case *transcript.Exchange:
		p.report.Exchanges++
		return p.exchange(ctx, s)
	}
	return nil
}

// introduce gives the transcript the names of its first app.
func (p *play) introduce(a *transcript.App) {
	id, secret := transcript.Get(a.Settings, "client_id"), transcript.Get(a.Settings, "client_secret")
	for name, value := range map[string]string{"client_id": id, "client_secret": secret, "basic": basic(id, secret),
		"redirect_uri": transcript.Get(a.Settings, "redirect_uri")} {
		if _, known := p.names[name]; !known {
			p.names[name] = value
		}
	}
}

// exchange sends a request and compares what comes back.
func (p *play) exchange(ctx context.Context, x *transcript.Exchange) error {
	request, err := p.fill(x)
	if unknown, ok := errors.AsType[*transcript.Unknown](err); ok {
		p.differ(x.Line, fmt.Sprintf("not sent: the answers before did not tell {{%s}}", unknown.Name), "", "")
		return nil
	}
	if err != nil {
		return err
	}
	if x.Asked != transcript.Nobody {
		got, err := p.who.answer(ctx, request, x)
		if err == nil {
			p.compare(x, []*answer{got})
		}
		return err
	}
	got, err := p.sendAtOnce(ctx, request, x.Times)
	if err == nil {
		p.compare(x, got)
	}
	return err
}

// sendAtOnce sends a request so many times before the first answer is read.
func (p *play) sendAtOnce(ctx context.Context, r *request, times int) ([]*answer, error) {
	got, failed := make([]*answer, times), make([]error, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { got[i], failed[i] = p.stage.send(ctx, r, nil) })
	}
	all.Wait()
	return got, errors.Join(failed...)
}

func (p *play) fill(x *transcript.Exchange) (*request, error) {
	r := &request{method: x.Request.Method}
	var err error
	if r.target, err = x.Request.Target.Fill(p.names); err != nil {
		return nil, err
	}
	for _, h := range x.Request.Header {
		value, err := h.Value.Fill(p.names)
		if err != nil {
			return nil, err
		}
		r.header = append(r.header, [2]string{h.Name, value})
	}
	if b := x.Request.Body; b != nil {
		r.body, err = b.Text.Fill(p.names)
	}
	return r, err
}

// compare lays the answers beside those listed.
func (p *play) compare(x *transcript.Exchange, got []*answer) {
	if len(got) == 1 {
		learned, differences := p.beside(x.Answers[0], got[0])
		p.report.Differences = append(p.report.Differences, differences...)
		maps.Copy(p.names, learned)
		return
	}
	p.compareMany(x, got)
}

// compareMany compares answers as a multiset: each listed one comes as often as
// it says. What a new name stands for, every answer says for itself.
func (p *play) compareMany(x *transcript.Exchange, got []*answer) {
	came := make([]int, len(x.Answers))
	taught := transcript.Names{}
	var stray []*answer
	for _, a := range got {
		i, learned := p.place(x, a, came)
		if i < 0 {
			stray = append(stray, a)
			continue
		}
		came[i]++
		maps.Copy(learned, taught) // the first answer's stay
		taught = learned
	}
	maps.Copy(p.names, taught)
	for i, a := range x.Answers {
		if came[i] < a.Least {
			p.differ(a.Line, fmt.Sprintf("this answer came %d times of %d, and is to come %s", came[i], x.Times, often(a)), "", "")
		}
	}
	if len(stray) > 0 {
		p.differ(x.Line, fmt.Sprintf("%d of %d answers are none of those listed, or more than listed; the first of them", len(stray), x.Times), "", stray[0].String())
	}
}

func often(a *transcript.Answer) string {
	switch {
	case a.Most == a.Least:
		return fmt.Sprintf("%d times", a.Least)
	case a.Most == 0:
		return fmt.Sprintf("at least %d times", a.Least)
	}
	return fmt.Sprintf("%d to %d times", a.Least, a.Most)
}

// place finds the listed answer that this one is: first among those that have
// yet to come.
func (p *play) place(x *transcript.Exchange, got *answer, came []int) (int, transcript.Names) {
	free, taught := -1, transcript.Names(nil)
	for i, a := range x.Answers {
		if a.Most > 0 && came[i] >= a.Most {
			continue
		}
		learned, differences := p.beside(a, got)
		switch {
		case len(differences) > 0:
		case came[i] < a.Least:
			return i, learned
		case free < 0:
			free, taught = i, learned
		}
	}
	return free, taught
}

func (p *play) differ(line transcript.Line, what, want, got string) {
	p.report.Differences = append(p.report.Differences, Difference{File: p.report.File, Line: int(line), What: what, Want: want, Got: got})
}
