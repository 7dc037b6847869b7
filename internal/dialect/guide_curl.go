package dialect

import (
	"fmt"
	"strings"
)

// curl is the message as a command for a shell that has the values in variables.
func (m *message) curl() string {
	words := []string{"curl"}
	if m.method != "GET" || len(m.body) > 0 {
		words[0] += " -X " + m.method
	}
	address := shellText(m.address)
	for i, q := range m.query {
		address += map[bool]string{true: "?", false: "&"}[i == 0] + shellEscaped(string(appendEscaped(nil, q.name))) + "=" + shellText(q.value)
	}
	words[0] += ` "` + address + `"`
	for _, h := range m.headers {
		switch {
		case m.basic && h.name == "Authorization":
			words = append(words, `-u "`+shellText(h.value)+`"`)
		case h.name == "Content-Type" && !m.json: // curl's own
		default:
			words = append(words, `-H "`+shellEscaped(h.name)+": "+shellText(h.value)+`"`)
		}
	}
	if m.json && len(m.body) > 0 {
		var members []string
		for _, f := range m.body {
			members = append(members, documentEscapes.Replace(string(appendJSONString(nil, f.name)))+": "+jsonText(f.value))
		}
		return strings.Join(append(words, "-d @- <<JSON"), " \\\n  ") + "\n{" + strings.Join(members, ", ") + "}\nJSON"
	}
	for _, f := range m.body {
		words = append(words, `--data-urlencode "`+shellEscaped(f.name)+"="+shellText(f.value)+`"`)
	}
	return strings.Join(words, " \\\n  ")
}

// shellText is a text inside double quotes, or in a document of the shell's.
func shellText(all []piece) string {
	var b strings.Builder
	for _, p := range all {
		switch {
		case p.blank == "":
			b.WriteString(shellEscaped(p.text))
		case p.encoding == asBase64:
			fmt.Fprintf(&b, `$(printf %%s "$%s" | base64 | tr -d '\n')`, p.blank)
		case p.encoding == asBase64URL:
			fmt.Fprintf(&b, `$(printf %%s "$%s" | base64 | tr '+/' '-_' | tr -d '=\n')`, p.blank)
		default:
			b.WriteString("$" + braced(p.blank))
		}
	}
	return b.String()
}

// jsonText is a JSON string with variables, for a document of the shell's.
func jsonText(all []piece) string {
	out := `"`
	for _, p := range all {
		if p.blank != "" {
			out += shellText([]piece{p})
			continue
		}
		text := string(appendJSONString(nil, p.text))
		out += documentEscapes.Replace(text[1 : len(text)-1])
	}
	return out + `"`
}

// documentEscapes are what a shell's document reads; quotes it leaves alone.
var documentEscapes = strings.NewReplacer(`\`, `\\`, "$", `\$`, "`", "\\`")

// braced keeps what follows a variable out of its name.
func braced(name string) string { return "{" + name + "}" }

var shellEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`")

func shellEscaped(text string) string { return shellEscapes.Replace(text) }
