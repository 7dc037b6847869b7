package dialect

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"strings"
)

// Told is what an answer said, by the names that trees have for it:
// "access_token", "expires_in", "account.id".
type Told map[string]string

// read lays an answer beside the tree that it was written from. What the
// answer has elsewhere, or otherwise, is not told.
func (t Told) read(of tree, said any) {
	switch of := of.(type) {
	case *object:
		members, _ := said.(map[string]any)
		for _, m := range of.members {
			if v, ok := members[m.name]; ok {
				t.read(m.tree, v)
			}
		}
	case *list:
		items, _ := said.([]any)
		for i, item := range of.items {
			if i < len(items) {
				t.read(item, items[i])
			}
		}
	case *value:
		if text, ok := unsaid(of, said); ok {
			t[of.base] = text
		}
	}
}

// unsaid undoes the forms of a value that can be undone.
func unsaid(of *value, said any) (string, bool) {
	var text string
	switch said := said.(type) {
	case string:
		text = said
	case json.Number:
		text = said.String()
	default:
		return "", false
	}
	for _, form := range strings.Split(strings.TrimPrefix(of.name, of.base), ".") {
		var e *base64.Encoding
		switch form {
		case "base64":
			e = base64.StdEncoding
		case "base64url":
			e = base64.RawURLEncoding
		default:
			continue
		}
		plain, err := e.DecodeString(text)
		if err != nil {
			return "", false
		}
		text = string(plain)
	}
	return text, text != ""
}

// readBodyAs reads JSON or a form, as the media type says.
func readBodyAs(mediaType, body string) (any, bool) {
	media, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil, false
	}
	members := map[string]any{}
	if media == usualTypes["form"][0] {
		all, err := parseForm(body, nil)
		for _, f := range all {
			members[f.name] = f.value
		}
		return members, err == nil
	}
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber() // a number keeps all its digits
	err = d.Decode(&members)
	return members, err == nil
}
