package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

const (
	longestFile = 1 << 20
	mostTimes   = 1000
)

// Parse reads a transcript. The error is a yamlfile.Problems with all that is
// wrong, in file order.
func Parse(file string, data []byte) (*Transcript, error) {
	p := &parser{t: &Transcript{File: file}, known: map[string]bool{"issuer": true}}
	if len(data) > longestFile {
		p.report("the file is larger than %d bytes; a transcript is one conversation", longestFile)
		return nil, p.problems
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		p.line++
		p.read(strings.TrimSuffix(line, "\r"))
	}
	p.close()
	if p.times != nil {
		p.report("@times at the end counts nothing; it stands before a request or an answer")
	}
	if len(p.problems) > 0 {
		p.problems.Sort()
		return nil, p.problems
	}
	return p.t, nil
}

// parser reads line by line.
type parser struct {
	t        *Transcript
	line     Line
	problems yamlfile.Problems
	known    map[string]bool // names that a request may use

	person bool // somebody sits at the browser

	x     *Exchange // that is being read; nil between two
	part  part
	body  *Body // that is being read, with its lines
	lines []Text
	times *span // that the next request or answer is sent or comes
}

type span struct{ least, most int }

// part is where in an exchange the parser is.
type part uint8

const (
	requestHead part = iota
	requestBody
	afterRequest
	answerHead
	answerBody
	afterAnswer
)

func (p *parser) report(format string, args ...any) { p.reportAt(p.line, format, args...) }

func (p *parser) reportAt(line Line, format string, args ...any) {
	p.problems = append(p.problems, yamlfile.Problem{
		Position: yamlfile.Position{File: p.t.File, Line: int(line)}, Msg: fmt.Sprintf(format, args...)})
}

func (p *parser) read(line string) {
	mark, rest := "", line
	if line != "" {
		mark, rest = line[:1], line[1:]
	}
	switch mark {
	case ">", "<":
		text, spaced := strings.CutPrefix(rest, " ")
		if !spaced && rest != "" {
			p.report("write a space after %s", mark)
			return
		}
		if mark == ">" {
			p.request(text)
		} else {
			p.answer(text)
		}
	case "@":
		word, rest, _ := strings.Cut(rest, " ")
		p.directive(word, strings.TrimSpace(rest))
	case "#":
		p.pause()
		if p.x == nil || p.part == afterAnswer {
			p.add(&Comment{p.line, rest})
		}
	default:
		if strings.TrimSpace(line) != "" {
			p.report("a line begins with > (sent), < (answered), @ (what happens beside) or # (a comment)")
		}
		p.pause()
	}
}

func (p *parser) add(s Step) { p.t.Steps = append(p.t.Steps, s) }

// pause ends a request's or an answer's block.
func (p *parser) pause() {
	p.endBody()
	if p.x == nil {
		return
	}
	if p.part < afterRequest {
		p.part = afterRequest
	} else if p.part > afterRequest {
		p.part = afterAnswer
	}
}

var (
	requestForm = regexp.MustCompile(`^([A-Z]{1,20}) +((?:/|https?://).*?)(?: +HTTP/[0-9.]+)?$`)
	headerForm  = regexp.MustCompile("^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*$")
	statusForm  = regexp.MustCompile(`^(?:HTTP/[0-9.]+ +)?([1-5][0-9][0-9])(?: .*)?$`)
)

// request reads a line of a request: its first one, a header, or a line of its
// body.
func (p *parser) request(text string) {
	if p.x == nil || p.part >= afterRequest {
		p.endBody()
		p.begin(text)
		return
	}
	if p.part == requestBody {
		if p.body == nil { // an empty line alone is no body
			p.body = &Body{Line: p.line}
			p.x.Request.Body = p.body
		}
		p.lines = append(p.lines, p.text(text))
		return
	}
	if text == "" {
		p.part = requestBody
		return
	}
	p.header(&p.x.Request.Header, text)
}

func (p *parser) begin(text string) {
	p.close()
	p.x, p.part = &Exchange{Line: p.line}, requestHead
	p.add(p.x)
	if s := p.take(); s != nil {
		p.x.Times = p.often(s)
	}
	m := requestForm.FindStringSubmatch(text)
	if m == nil {
		p.report("a request begins with a method and a path, as in > POST /oauth/tokens")
		return
	}
	p.x.Request.Method, p.x.Request.Target = m[1], p.text(m[2])
}

func (p *parser) often(s *span) int {
	if s.least != s.most || s.most < 1 || s.most > mostTimes {
		p.report("@times before a request is one number from 1 to %d", mostTimes)
		return 1
	}
	return s.most
}

// answer reads a line of an answer.
func (p *parser) answer(text string) {
	switch {
	case p.x == nil:
		p.report("an answer follows a request; write > and the request first")
	case p.part == answerBody:
		p.lines = append(p.lines, p.text(text))
	case p.part == answerHead && text == "":
		a := p.x.Answers[len(p.x.Answers)-1]
		p.body, p.part = &Body{Line: p.line + 1}, answerBody
		a.Body = p.body
	case p.part == answerHead && !statusForm.MatchString(text):
		a := p.x.Answers[len(p.x.Answers)-1]
		p.header(&a.Header, text)
	default:
		p.beginAnswer(text)
	}
}

func (p *parser) beginAnswer(text string) {
	p.endBody()
	if len(p.x.Answers) > 0 && p.x.Times < 2 {
		p.report("a request has one answer; where it is sent several times at once, write @times before it")
	}
	a := &Answer{Line: p.line, Least: 1, Most: 1}
	if p.x.Times > 1 {
		a.Most = 0
	}
	if s := p.take(); s != nil {
		a.Least, a.Most = s.least, s.most
	}
	p.x.Answers, p.part = append(p.x.Answers, a), answerHead
	m := statusForm.FindStringSubmatch(text)
	if m == nil {
		p.report("an answer begins with its status, as in < 200")
		return
	}
	a.Status, _ = strconv.Atoi(m[1]) // three digits
}

func (p *parser) header(into *[]Header, text string) {
	m := headerForm.FindStringSubmatch(text)
	if m == nil {
		p.report("%q is no header; a body stands below an empty line", text)
		return
	}
	*into = append(*into, Header{p.line, m[1], p.text(m[2])})
}

// endBody puts a body's lines together, with line feeds between them.
func (p *parser) endBody() {
	if p.body == nil {
		return
	}
	var literal strings.Builder
	flush := func() {
		p.body.Text = p.body.Text.with(literal.String())
		literal.Reset()
	}
	for i, line := range p.lines {
		if i > 0 {
			literal.WriteByte('\n')
		}
		for _, piece := range line {
			if piece.Name == "" {
				literal.WriteString(piece.Literal)
				continue
			}
			flush()
			p.body.Text = append(p.body.Text, piece)
		}
	}
	flush()
	p.body, p.lines = nil, nil
}

func (p *parser) text(s string) Text {
	t, err := ParseText(s)
	if err != nil {
		p.report("%s", err)
	}
	return t
}

func (p *parser) take() *span {
	s := p.times
	p.times = nil
	return s
}

// close ends an exchange: its names are known from here on.
func (p *parser) close() {
	p.endBody()
	x := p.x
	p.x = nil
	if x == nil {
		return
	}
	if len(x.Answers) == 0 {
		p.reportAt(x.Line, "this request has no answer; write < and its status below it")
	}
	if x.Times > 1 && x.Asked != Nobody {
		p.reportAt(x.Line, "a person answers once: @times is for requests that nobody is asked about")
	}
	p.spans(x)
	x.Times = max(x.Times, 1)
	p.learn(x)
}

// spans: the counts of the answers must make up the count of the request.
func (p *parser) spans(x *Exchange) {
	least, most, bound := 0, 0, true
	for _, a := range x.Answers {
		least, most, bound = least+a.Least, most+a.Most, bound && a.Most > 0
	}
	switch times := max(x.Times, 1); {
	case len(x.Answers) == 0:
	case least > times:
		p.reportAt(x.Line, "%d answers are listed at least, and the request is sent %d times", least, times)
	case bound && most < times:
		p.reportAt(x.Line, "the request is sent %d times, and %d answers are listed at most", times, most)
	}
}

// learn checks the names that the request uses and adds those that its answers
// teach.
func (p *parser) learn(x *Exchange) {
	uses := []Text{x.Request.Target}
	lines := []Line{x.Line}
	for _, h := range x.Request.Header {
		uses, lines = append(uses, h.Value), append(lines, h.Line)
	}
	if b := x.Request.Body; b != nil {
		uses, lines = append(uses, b.Text), append(lines, b.Line)
	}
	for i, t := range uses {
		p.mayUse(lines[i], t)
	}
	for _, a := range x.Answers {
		for _, h := range a.Header {
			p.nowKnown(h.Value)
		}
		if a.Body != nil {
			p.nowKnown(a.Body.Text)
		}
	}
}

func (p *parser) nowKnown(t Text) {
	for _, name := range t.Uses() {
		p.known[name] = name != Anonymous
	}
}

func (p *parser) mayUse(line Line, t Text) {
	for _, piece := range t {
		switch {
		case piece.Name == "":
		case piece.Pattern != "":
			p.reportAt(line, "{{%s ~ …}} describes an answer; a request says {{%s}}", piece.Name, piece.Name)
		case !p.known[piece.Name]:
			var known []string
			for name, ok := range p.known {
				if ok {
					known = append(known, name)
				}
			}
			slices.Sort(known)
			p.reportAt(line, "{{%s}} is not known here: no answer before it has that name%s", piece.Name, yamlfile.Suggest(piece.Name, known))
		}
	}
}
