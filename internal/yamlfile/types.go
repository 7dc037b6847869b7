package yamlfile

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

const durationHelp = "a duration such as 300s, 5m, 1h or 180d"

// ParseDuration reads a duration as files write it: what time.ParseDuration
// reads, and whole days (180d). It is never negative.
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err == nil && n <= math.MaxInt64/uint64(24*time.Hour) {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, errors.New("write " + durationHelp)
}

func decodeDuration(n *Node, into reflect.Value) Problems {
	if n.Kind != Scalar {
		return Problems{n.wrongType(into.Type())}
	}
	d, err := ParseDuration(n.Text)
	if err != nil {
		return Problems{n.Problem("%q is not a duration; %s", n.Text, err)}
	}
	into.SetInt(int64(d))
	return nil
}

// Life is a duration that may also be written "never": it then has no end, and
// Of is zero.
type Life struct {
	Of    time.Duration
	Never bool
}

// DecodeYAML reads a duration or "never".
func (l *Life) DecodeYAML(n *Node) Problems {
	if n.Kind == Scalar && n.Text == "never" {
		*l = Life{Never: true}
		return nil
	}
	*l = Life{}
	problems := decode(n, reflect.ValueOf(&l.Of).Elem())
	for i := range problems {
		problems[i].Msg += ", or never"
	}
	return problems
}

// Text is text for which numbers and booleans stand too, as they are written:
// 007 is the text "007".
type Text string

// DecodeYAML takes any scalar.
func (t *Text) DecodeYAML(n *Node) Problems {
	if n.Kind != Scalar {
		return Problems{n.wrongType(reflect.TypeFor[string]())}
	}
	*t = Text(n.Text)
	return nil
}

// OneOrMany is a list that is also written as its only item.
type OneOrMany[T any] []T

// DecodeYAML reads a list, or one item.
func (l *OneOrMany[T]) DecodeYAML(n *Node) Problems {
	if n.Kind == Sequence {
		return n.Decode((*[]T)(l))
	}
	var one T
	problems := n.Decode(&one)
	*l = []T{one}
	return problems
}

// Ordered is a mapping of free keys in the order written.
type Ordered[T any] []Entry[T]

// Entry is a key of an Ordered mapping with its value.
type Entry[T any] struct {
	Key   string
	At    Position // of the key
	Value T
	Node  *Node // of the value
}

// DecodeYAML reads a mapping.
func (o *Ordered[T]) DecodeYAML(n *Node) (problems Problems) {
	if n.Kind != Mapping {
		return Problems{n.wrongType(reflect.TypeFor[map[string]T]())}
	}
	*o = make([]Entry[T], len(n.Members))
	for i, m := range n.Members {
		(*o)[i] = Entry[T]{Key: m.Key, At: m.At, Node: m.Value}
		problems = append(problems, m.Value.Decode(&(*o)[i].Value)...)
	}
	return problems
}

// Get is the value of a key.
func (o Ordered[T]) Get(key string) (value T, ok bool) {
	for _, e := range o {
		if e.Key == key {
			return e.Value, true
		}
	}
	return value, false
}
