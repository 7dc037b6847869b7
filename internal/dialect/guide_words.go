package dialect

import (
	"fmt"
	"strings"
	"time"
)

// Language is what a guide's sentences are written in. What stands in code, and
// the words of a dialect's file, are the same in each.
type Language struct {
	Tag string // as in HTML's lang
	Say func(format string, args ...any) string
}

// English is what our sentences are written in here; other languages know them by
// their English.
var English = Language{"en", fmt.Sprintf}

// text is a sentence, or the words of a table's cell, in the guide's language.
func (p *page) text(format string, args ...any) string { return p.in.Say(format, args...) }

// say adds a paragraph.
func (p *page) say(format string, args ...any) { p.paragraph(p.text(format, args...)) }

// paragraph adds one of sentences that stand together here, and elsewhere with others.
func (p *page) paragraph(sentences ...string) {
	p.blocks = append(p.blocks, paragraph{strings.Join(sentences, " ")})
}

// chain joins words by what joins two of them.
func (p *page) chain(words []string, two string) string {
	all := words[0]
	for _, next := range words[1:] {
		all = p.text(two, all, next)
	}
	return all
}

// spoken is a duration in words.
func (p *page) spoken(d time.Duration) string {
	whole := func(unit time.Duration) bool { return d >= unit && d%unit == 0 }
	switch {
	case whole(24*time.Hour) && d != 24*time.Hour:
		return p.text("%d days", d/(24*time.Hour))
	case d == time.Hour:
		return p.text("1 hour")
	case whole(time.Hour):
		return p.text("%d hours", d/time.Hour)
	case d == time.Minute:
		return p.text("1 minute")
	case whole(time.Minute):
		return p.text("%d minutes", d/time.Minute)
	case d == time.Second:
		return p.text("1 second")
	}
	return p.text("%d seconds", d/time.Second)
}

// coded are words of the wire.
func coded(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "`" + w + "`"
	}
	return out
}
