package dialect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
)

func (g *guide) life() {
	t := &g.d.terms
	g.heading("How long things last")
	var out []string
	out = append(out, "A code lives "+spoken(t.Code.Life)+", and works once.")
	if t.Access.Life == 0 {
		out = append(out, "An access token does not expire. It lives until you or the other side ends it.")
	} else {
		out = append(out, "An access token lives "+spoken(t.Access.Life)+". A refresh does not end the one before it.")
	}
	switch r := t.Refresh; {
	case r == nil:
	case r.Rotate:
		out = append(out, "A refresh token lives "+spoken(r.Idle)+" from its last use; each refresh gives a new one.")
	default:
		out = append(out, "A refresh token lives "+spoken(r.Idle)+" from its last use, and stays the same.")
	}
	for _, v := range g.d.variants {
		said := "it does not expire"
		if v.terms.Access.Life > 0 {
			said = "an access token lives " + spoken(v.terms.Access.Life)
		}
		if v.terms.Refresh != nil {
			said += ", and there is a refresh token"
		} else {
			said += ", and there is no refresh token"
		}
		var conditions []string
		for _, c := range v.conditions {
			conditions = append(conditions, "`"+c.name+"` is `"+c.value+"`")
		}
		out = append(out, "Where "+strings.Join(conditions, " and ")+", "+said+".")
	}
	if t.AtOnce > 0 {
		out = append(out, fmt.Sprintf("A connection has at most %d live tokens; beyond that the one unused longest ends.", t.AtOnce))
	}
	if t.Level == postern.AccountLevel {
		out = append(out, "A connection belongs to the customer's whole account: it outlives the person who made it.")
	} else {
		out = append(out, "A connection belongs to the person who made it, and ends when they leave.")
	}
	g.points(out...)
}

// spoken is a duration in words.
func spoken(d time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}

func (g *guide) answer(a *answer) {
	if a.empty {
		return
	}
	g.code("", sample(a.types, a.body))
}

// sample is an answer with capitals for its values, as it comes to the examples:
// JSON where there is the choice.
func sample(types []answerType, body tree) string {
	o, isObject := body.(*object)
	if !isObject || !o.flat() || len(types) == 0 || slices.ContainsFunc(types, func(t answerType) bool { return !t.form }) {
		return sampleJSON(body)
	}
	var pairs []string
	for _, m := range o.members {
		text := strings.Trim(sampleJSON(m.tree), `"`)
		if v, isValue := m.tree.(*value); isValue {
			text = treeSample(v)
		}
		pairs = append(pairs, m.name+"="+text)
	}
	return strings.Join(pairs, "&")
}

// treeSample is a value of an answer in capitals.
func treeSample(t tree) string {
	switch t := t.(type) {
	case *value:
		return strings.ToUpper(strings.ReplaceAll(t.base, ".", "_"))
	case *phrase:
		out := ""
		for _, p := range t.parts {
			out += treeSample(p)
		}
		return out
	case *literal:
		return string(t.value.appendText(nil, " "))
	}
	return ""
}

// sampleJSON is a tree with capitals for its values.
func sampleJSON(t tree) string {
	switch t := t.(type) {
	case *object:
		var out []string
		for _, m := range t.members {
			out = append(out, string(m.key)+" "+sampleJSON(m.tree))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case *forEach:
		return sampleJSON(t.item)
	case *list:
		var out []string
		for _, item := range t.items {
			out = append(out, sampleJSON(item))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case *literal:
		return string(t.json)
	case *value:
		switch t.kind {
		case isNum, isTime:
			if t.base == "status" {
				return "400"
			}
			return "3600"
		case isList:
			return "[" + string(appendJSONString(nil, treeSample(t))) + "]"
		}
	}
	return string(appendJSONString(nil, treeSample(t)))
}
