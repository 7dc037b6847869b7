package dialect

import (
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
)

func (g *guide) life() {
	t := &g.d.terms
	g.heading("How long things last")
	out := []string{g.text("A code lives %s, and works once.", g.spoken(t.Code.Life))}
	add := func(format string, args ...any) { out = append(out, g.text(format, args...)) }
	if t.Access.Life == 0 {
		add("An access token does not expire. It lives until you or the other side ends it.")
	} else {
		add("An access token lives %s. A refresh does not end the one before it.", g.spoken(t.Access.Life))
	}
	switch r := t.Refresh; {
	case r == nil:
	case r.Rotate:
		add("A refresh token lives %s from its last use; each refresh gives a new one.", g.spoken(r.Idle))
	default:
		add("A refresh token lives %s from its last use, and stays the same.", g.spoken(r.Idle))
	}
	for i := range g.d.variants {
		v := &g.d.variants[i]
		var conditions []string
		for _, c := range v.conditions {
			conditions = append(conditions, g.text("`%s` is `%s`", c.name, c.value))
		}
		where, life := g.chain(conditions, "%s and %s"), v.terms.Access.Life
		switch refreshes := v.terms.Refresh != nil; {
		case life > 0 && refreshes:
			add("Where %s, an access token lives %s, and there is a refresh token.", where, g.spoken(life))
		case life > 0:
			add("Where %s, an access token lives %s, and there is no refresh token.", where, g.spoken(life))
		case refreshes:
			add("Where %s, it does not expire, and there is a refresh token.", where)
		default:
			add("Where %s, it does not expire, and there is no refresh token.", where)
		}
	}
	if t.AtOnce > 0 {
		add("A connection has at most %d live tokens; beyond that the one unused longest ends.", t.AtOnce)
	}
	if t.Level == postern.AccountLevel {
		add("A connection belongs to the customer's whole account: it outlives the person who made it.")
	} else {
		add("A connection belongs to the person who made it, and ends when they leave.")
	}
	g.points(out...)
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

// sampleTime is a time as the wire writes this one.
func (x *value) sampleTime() datum {
	d := timeOf(time.Date(2026, 11, 24, 20, 26, 22, 0, time.UTC))
	for _, form := range x.forms {
		d = form(d)
	}
	return d
}

// treeSample is a value of an answer in capitals.
func treeSample(t tree) string {
	switch t := t.(type) {
	case *value:
		if t.base == "token_type" { // the same for everybody
			return string(t.datum(nil).appendText(nil, " "))
		}
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
		if named[t.base].kind == isTime {
			return string(t.sampleTime().appendJSON(nil, " "))
		}
		switch t.kind {
		case isNum:
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
