package yamlfile

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Kind says what a node is.
type Kind int

const (
	Null Kind = iota
	Scalar
	Mapping
	Sequence
)

// Node is a piece of a file: free-form parts are read as they stand, in order.
type Node struct {
	Position
	Path string // from the top of the file: "apps[0].name"; "" is the file itself
	Kind Kind

	// Text is a scalar as written, without its quotes.
	Text string
	// Value is a scalar as the core schema of YAML 1.2 reads it: string, bool,
	// int64 or float64. A number too large for these stays a string of digits
	// in Text and is a float64 here.
	Value any

	Members []Member // of a mapping, in the order written
	Items   []*Node  // of a sequence
}

// Member is a key of a mapping with its value.
type Member struct {
	Key   string
	At    Position // of the key
	Value *Node
}

// Plain is the node that a scalar without quotes reads as.
func Plain(at Position, path, text string) *Node {
	n := &Node{Position: at, Path: path, Text: text}
	n.Kind, n.Value = resolve(text)
	return n
}

// Member is the value of a key, or nil.
func (n *Node) Member(key string) *Node {
	for _, m := range n.Members {
		if m.Key == key {
			return m.Value
		}
	}
	return nil
}

// Problem reports something about this node; the sentence goes on after the
// node's path and a colon.
func (n *Node) Problem(format string, args ...any) Problem {
	msg := fmt.Sprintf(format, args...)
	if n.Path != "" {
		msg = n.Path + ": " + msg
	}
	return Problem{Position: n.Position, Key: n.Path, Msg: msg}
}

// ProblemAt reports something about the value of a key of this mapping, or
// about the mapping where it does not have the key.
func (n *Node) ProblemAt(key, format string, args ...any) Problem {
	if m := n.Member(key); m != nil {
		return m.Problem(format, args...)
	}
	p := n.Problem(format, args...)
	p.Key = join(n.Path, key)
	p.Msg = p.Key + ": " + fmt.Sprintf(format, args...)
	return p
}

// Unknown reports the keys of this mapping that are not among the known ones.
func (n *Node) Unknown(known ...string) (found Problems) {
	for _, m := range n.Members {
		if !slices.Contains(known, m.Key) {
			found = append(found, n.unknown(m, known))
		}
	}
	return found
}

func (n *Node) unknown(m Member, known []string) Problem {
	return Problem{
		Position: m.At, Key: join(n.Path, m.Key),
		Msg:     fmt.Sprintf("unknown key %q%s%s", m.Key, in(n.Path), Suggest(m.Key, known)),
		Unknown: true,
	}
}

// in says where a key stands, for a sentence about it.
func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// describe names what stands at the node, for a sentence about a wrong type.
func (n *Node) describe() string {
	switch n.Kind {
	case Null:
		return "nothing"
	case Mapping:
		return "a mapping"
	case Sequence:
		return "a list"
	}
	switch n.Value.(type) {
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	}
	return "text"
}

// join names a key under a path. What cannot be shown is escaped: a path is read
// by people, in terminals.
func join(path, key string) string {
	if strings.ContainsFunc(key, func(c rune) bool { return !unicode.IsPrint(c) }) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

var (
	infinite = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$`)
	decimal  = regexp.MustCompile(`^[-+]?[0-9]+$`)
	based    = regexp.MustCompile(`^0(o[0-7]+|x[0-9a-fA-F]+)$`)
	float    = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// resolve reads a plain scalar by the core schema (YAML 1.2.2 §10.3.2).
func resolve(text string) (kind Kind, value any) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null, nil
	case "true", "True", "TRUE":
		return Scalar, true
	case "false", "False", "FALSE":
		return Scalar, false
	case ".nan", ".NaN", ".NAN":
		return Scalar, math.NaN()
	}
	if !strings.ContainsRune("+-.0123456789", rune(text[0])) { // what every number begins with
		return Scalar, text
	}
	switch {
	case infinite.MatchString(text):
		if text[0] == '-' {
			return Scalar, math.Inf(-1)
		}
		return Scalar, math.Inf(1)
	case decimal.MatchString(text):
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Scalar, i
		}
	case based.MatchString(text):
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return Scalar, i
		}
		return Scalar, math.Inf(1)
	}
	if float.MatchString(text) {
		f, _ := strconv.ParseFloat(text, 64) // out of range gives infinity, which is the nearest
		return Scalar, f
	}
	return Scalar, text
}
