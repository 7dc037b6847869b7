// Package yamlfile reads the files that operators write: strictly, with every
// mistake told at once, each with its place and what was meant.
//
// It reads YAML 1.2 (and so JSON) with the core schema, without anchors,
// aliases, merge keys and tags: what a file says is what stands in it. Nothing
// is guessed: an unknown or repeated key, a number where text belongs, a second
// document are all problems.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxSize  = 1 << 20
	maxDepth = 32
)

// Read reads a file that holds one document. An empty one is a Null node.
func Read(file string, data []byte) (*Node, Problems) {
	docs, problems := ReadAll(file, data)
	if len(docs) > 1 {
		problems = append(problems, Problem{Position: docs[1].Position, Msg: "a second document begins here; the file may hold only one"})
		problems.Sort()
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return docs[0], nil
}

// ReadAll reads a file of one document or more.
func ReadAll(file string, data []byte) ([]*Node, Problems) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if p := unreadable(file, data); p != nil {
		return nil, Problems{*p}
	}
	r := reader{file: file}
	tokens := lexer.Tokenize(string(data))
	if p := r.tooDeep(tokens); p != nil {
		return nil, Problems{*p}
	}
	if r.refuse(tokens); len(r.problems) > 0 {
		return nil, r.problems
	}
	tree, err := parse(tokens)
	if err != nil {
		return nil, Problems{r.syntax(err)}
	}
	var docs []*Node
	for _, doc := range tree.Docs {
		if doc.Body == nil && len(tree.Docs) > 1 {
			continue
		}
		docs = append(docs, r.node(doc.Body, "", Position{file, 1, 1}))
	}
	if len(docs) == 0 {
		docs = []*Node{{Position: Position{file, 1, 1}}}
	}
	r.problems.Sort()
	return docs, r.problems
}

// unreadable finds what makes a file no text at all.
func unreadable(file string, data []byte) *Problem {
	if len(data) > maxSize {
		return &Problem{Position: Position{file, 1, 1}, Msg: "the file is larger than 1 MiB"}
	}
	line, col := 1, 1
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			return &Problem{Position: Position{file, line, col}, Msg: "the file is not UTF-8 here; save it as UTF-8"}
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', 0x7f <= c && c < 0xa0 && c != 0x85:
			return &Problem{Position: Position{file, line, col}, Msg: fmt.Sprintf("the control character U+%04X may not stand in a file", c)}
		case c == '\n':
			line, col = line+1, 0
		}
		i += size
		col++
	}
	return nil
}

// parse holds the parser's own panics: a file is a stranger's bytes.
func parse(tokens token.Tokens) (tree *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("this is not YAML")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

type reader struct {
	file     string
	problems Problems
}

func (r *reader) report(at Position, key, format string, args ...any) {
	r.problems = append(r.problems, Problem{Position: at, Key: key, Msg: fmt.Sprintf(format, args...)})
}

func (r *reader) syntax(err error) Problem {
	p := Problem{Position: Position{r.file, 1, 1}, Msg: "not YAML: " + err.Error()}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.Position = r.at(e.GetToken())
		p.Msg = "not YAML: " + strings.TrimSpace(e.GetMessage())
		if strings.Contains(p.Msg, "'\t'") {
			p.Msg = "not YAML: lines are indented by spaces, and here is a tab"
		}
	}
	return p
}

// tooDeep bounds the nesting before the parser, which recurses, sees it. Flow
// collections nest by their brackets, block collections by their columns.
func (r *reader) tooDeep(tokens token.Tokens) *Problem {
	flow := 0
	var columns []int
	for i, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.DocumentHeaderType, token.DocumentEndType:
			flow, columns = 0, columns[:0]
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow > 0 {
				break
			}
			col := t.Position.Column
			if t.Type == token.MappingValueType && i > 0 {
				col = tokens[i-1].Position.Column // the key's
			}
			for len(columns) > 0 && columns[len(columns)-1] >= col {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, col)
		}
		if flow+len(columns) > maxDepth {
			return &Problem{Position: r.at(t), Msg: fmt.Sprintf("more than %d levels of nesting", maxDepth)}
		}
	}
	return nil
}

// refuse reports all that could make a file say something that does not stand
// in it.
func (r *reader) refuse(tokens token.Tokens) {
	for i, t := range tokens {
		name := ""
		if i+1 < len(tokens) {
			name = tokens[i+1].Value
		}
		switch t.Type {
		case token.AnchorType:
			r.report(r.at(t), "", "anchors (&%s) are not read here; write the value out", name)
		case token.AliasType:
			r.report(r.at(t), "", "aliases (*%s) are not read here; write the value out", name)
		case token.MergeKeyType:
			r.report(r.at(t), "", "merge keys (<<) are not read here; write the keys out")
		case token.TagType:
			r.report(r.at(t), "", "tags (%s) are not read here; take it out", strings.TrimSpace(t.Value))
		case token.DirectiveType:
			r.report(r.at(t), "", "directives (%%) are not read here; take the line out")
		}
	}
}

func (r *reader) at(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{r.file, 1, 1}
	}
	return Position{r.file, max(1, t.Position.Line), max(1, t.Position.Column)}
}

// node turns a piece of the parser's tree into ours. What may not stand in a
// file is reported and becomes null, so that the rest is still looked at.
func (r *reader) node(from ast.Node, path string, near Position) *Node {
	n := &Node{Position: near, Path: path}
	if from == nil || from.GetToken().Type == token.ImplicitNullType {
		return n
	}
	n.Position = r.at(from.GetToken())
	switch from := from.(type) {
	case *ast.MappingNode:
		r.mapping(n, from.Values)
	case *ast.MappingValueNode:
		r.mapping(n, []*ast.MappingValueNode{from})
	case *ast.SequenceNode:
		n.Kind = Sequence
		if len(from.Values) > 0 {
			n.Items = make([]*Node, 0, len(from.Values))
		}
		for i, item := range from.Values {
			n.Items = append(n.Items, r.node(item, path+"["+strconv.Itoa(i)+"]", n.Position))
		}
	case *ast.StringNode:
		n.Kind, n.Text, n.Value = Scalar, from.Value, from.Value
		if t := from.Token.Type; t != token.SingleQuoteType && t != token.DoubleQuoteType {
			n.Kind, n.Value = resolve(from.Value)
		}
	case *ast.LiteralNode:
		n.Kind, n.Text, n.Value = Scalar, from.Value.Value, from.Value.Value
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.Text = from.GetToken().Value
		n.Kind, n.Value = resolve(n.Text)
	default:
		r.report(n.Position, path, "this is not read here: %s", from.Type())
	}
	return n
}

func (r *reader) mapping(n *Node, values []*ast.MappingValueNode) {
	n.Kind = Mapping
	n.Members = make([]Member, 0, len(values))
	var first map[string]Position
	if len(values) > few {
		first = make(map[string]Position, len(values))
	}
	for i, v := range values {
		key, at, ok := r.key(v.Key, n.Path)
		if i == 0 {
			n.Position = at
		}
		if !ok {
			continue
		}
		path := join(n.Path, key)
		value := r.node(v.Value, path, at)
		if was, repeated := n.already(key, first); repeated {
			r.report(at, path, "duplicate key %q%s; it is already in line %d", key, in(n.Path), was.Line)
			continue
		}
		if first != nil {
			first[key] = at
		}
		n.Members = append(n.Members, Member{key, at, value})
	}
}

// few is how many members are looked through one by one.
const few = 16

// already is where a mapping has a key; first finds it among many.
func (n *Node) already(key string, first map[string]Position) (Position, bool) {
	if first != nil {
		at, repeated := first[key]
		return at, repeated
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].At, true
		}
	}
	return Position{}, false
}

func (r *reader) key(k ast.MapKeyNode, path string) (key string, at Position, ok bool) {
	at = r.at(k.GetToken())
	if m, explicit := k.(*ast.MappingKeyNode); explicit {
		if _, simple := m.Value.(ast.MapKeyNode); !simple {
			r.report(at, path, "a key must be plain text")
			return "", at, false
		}
		k = m.Value.(ast.MapKeyNode)
		at = r.at(k.GetToken())
	}
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, at, true
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return k.GetToken().Value, at, true
	}
	r.report(at, path, "a key must be plain text")
	return "", at, false
}
