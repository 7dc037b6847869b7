package postern

import (
	"fmt"
	"regexp"
	"strings"
)

// Sentence is something that we say, with what fills it. Text is English and the
// key of the pages' catalogues, so it holds nothing of one occasion but the names
// of its parts: "It expired {at} earlier." Another language may put them into
// another order.
type Sentence struct {
	Text string
	// Parts fill the places of their names: what came from outside as a string, a
	// figure as an int, words of ours as a Sentence again. A place without a part
	// is left out: "…".
	Parts map[string]any
}

// String says it in English.
func (s Sentence) String() string {
	return s.Fill(s.Text, func(part any) string { return fmt.Sprint(part) })
}

var partOf = regexp.MustCompile(`\{([a-z_]+(?::[a-z]+)?)\}(\.?)`)

// Fill puts the parts into the sentence as another language has it, each written
// as the caller writes them. The dots of what is left out end a sentence, too.
func (s Sentence) Fill(text string, written func(part any) string) string {
	var b strings.Builder
	from := 0
	for _, at := range partOf.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[from:at[0]])
		if part, ok := s.Parts[text[at[2]:at[3]]]; ok {
			b.WriteString(written(part) + text[at[4]:at[5]])
		} else {
			b.WriteString("…")
		}
		from = at[1]
	}
	return b.String() + text[from:]
}
