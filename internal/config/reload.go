package config

import (
	"reflect"
	"slices"
	"strings"
)

// Taking is the configuration of a running server that has read another one: it
// has what can be taken over while it runs, and stays as it is in all else. left
// are the keys that differ and need another start.
func (c *Config) Taking(next *Config) (taken *Config, left []string) {
	t := *c
	t.Dialects, t.Routes, t.TrustedProxies = next.Dialects, next.Routes, next.TrustedProxies
	t.Branding, t.Apps, t.Portal = next.Branding, next.Apps, next.Portal
	t.SignIn.Partners, t.Log.Level = next.SignIn.Partners, next.Log.Level
	of := next.Lifetimes
	of.Session, of.SessionIdle, of.SigningKey = t.Lifetimes.Session, t.Lifetimes.SessionIdle, t.Lifetimes.SigningKey
	t.Lifetimes = of
	for _, k := range allKeys {
		if !reflect.DeepEqual(k.of(&t), k.of(next)) {
			left = append(left, k.path)
		}
	}
	return &t, left
}

// of is the value that a configuration has for the key.
func (k key) of(c *Config) any {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(k.path, ".") {
		fields := slices.Collect(v.Type().Fields())
		v = v.Field(slices.IndexFunc(fields, func(f reflect.StructField) bool {
			tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			return tag == name
		}))
	}
	return v.Interface()
}
