package transcript

import (
	"fmt"
	"strings"
)

// String is the transcript as a file.
func (t *Transcript) String() string {
	w := &writer{}
	for i, s := range t.Steps {
		x, conversation := s.(*Exchange)
		if _, about := s.(*Comment); i > 0 && (conversation || about) && !w.afterComment {
			w.b.WriteByte('\n')
		}
		_, w.afterComment = s.(*Comment)
		if conversation {
			w.exchange(x)
		} else {
			w.step(s)
		}
	}
	return w.b.String()
}

type writer struct {
	b            strings.Builder
	afterComment bool
}

func (w *writer) step(s Step) {
	switch s := s.(type) {
	case *Comment:
		w.line("#" + s.Text)
	case *App:
		w.line("@app" + settings(s.Settings))
	case *User:
		w.line("@user " + s.Name + " of " + s.Account + settings(s.Settings))
	case *Wait:
		w.line("@wait " + s.For.String())
	case *Restart:
		w.line("@restart")
	case *Loose:
		w.line("@loose")
	}
}

func settings(all []Setting) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(" " + s.String())
	}
	return b.String()
}

func (w *writer) exchange(x *Exchange) {
	if x.Times > 1 {
		w.line(fmt.Sprintf("@times %d", x.Times))
	}
	w.line("> " + x.Request.Method + " " + x.Request.Target.String())
	w.block(">", x.Request.Header, x.Request.Body)
	if x.Asked != Nobody {
		line := "@" + strings.ToLower(string(x.Asked))
		if x.Account != "" {
			line += " " + Setting{"account", x.Account}.String()
		}
		w.line(line)
	}
	for i, a := range x.Answers {
		switch {
		case x.Times > 1 && a.Most > 0 && a.Least == a.Most:
			w.line(fmt.Sprintf("@times %d", a.Least))
		case x.Times > 1 && a.Most > 0:
			w.line(fmt.Sprintf("@times %d-%d", a.Least, a.Most))
		case i > 0:
			w.b.WriteByte('\n')
		}
		w.line(fmt.Sprintf("< %d", a.Status))
		w.block("<", a.Header, a.Body)
	}
}

func (w *writer) block(mark string, header []Header, body *Body) {
	for _, h := range header {
		w.line(strings.TrimRight(mark+" "+h.Name+": "+h.Value.String(), " "))
	}
	if body == nil {
		return
	}
	w.line(mark)
	for line := range strings.SplitSeq(body.Text.String(), "\n") {
		if line == "" {
			w.line(mark)
		} else {
			w.line(mark + " " + line)
		}
	}
}

func (w *writer) line(s string) { w.b.WriteString(s + "\n") }
