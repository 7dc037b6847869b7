package dialect

import (
	"fmt"
	"reflect"
	"strings"
)

var phpTongue = &tongue{
	id: "php", title: "PHP", fence: "php",
	name: func(blank string) string {
		if fromEnvironment(blank) {
			return blank
		}
		return "$" + camel(blank)
	},
	quote: func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" },
	join:  " . ", base64: "base64_encode(%s)", base64URL: "rtrim(strtr(base64_encode(%s), '+/', '-_'), '=')",
	escape: "rawurlencode(%s)", form: "http_build_query(%s)", json: "json_encode(%s, JSON_UNESCAPED_SLASHES)", nothing: "null",
	fields: func(names, values []string) string {
		var members []string
		for i, name := range names {
			members = append(members, "'"+name+"' => "+values[i])
		}
		return laid("[", "]", "        ", members)
	},
	at: func(of string, w *where) string {
		for _, name := range w.path {
			of += "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']"
		}
		switch w.encoding {
		case asBase64:
			return "base64_decode(" + of + " ?? '')"
		case asBase64URL:
			return "base64_decode(strtr(" + of + " ?? '', '-_', '+/'))"
		}
		return "(" + of + " ?? null)"
	},
	write: writePHP,
}

func writePHP(l *tongue, s *steps) []snippet {
	typed := func(m *message) string {
		var out []string
		for _, blank := range m.arguments() {
			out = append(out, "string "+l.name(blank))
		}
		return strings.Join(out, ", ")
	}
	tokens := func(name string, p tokenPlaces) string {
		members := "'accessToken' => $accessToken"
		for _, more := range []struct {
			name string
			at   *where
		}{{"refreshToken", p.refresh}, {"accountID", p.account}} {
			if more.at != nil {
				members += ", '" + more.name + "' => " + l.at("$said", more.at)
			}
		}
		return fmt.Sprintf(`// %s reads an answer: one without an access token is a refusal.
function %s(array $answer): array
{
    $said = $answer['said'];
    $accessToken = %s;
    if (!$accessToken) {
        throw new RuntimeException("refused with {$answer['status']}: {$answer['text']}");
    }
    return [%s, 'said' => $said];
}`, name, name, l.at("$said", p.access), members)
	}
	var environment []string
	for _, name := range s.environment() {
		environment = append(environment, fmt.Sprintf("define('%s', getenv('%s'));", name, name))
	}
	function := func(name string, m *message) string {
		return fmt.Sprintf("function %s(%s): array\n{\n    return %s;\n}", name, typed(m), l.send(m))
	}
	out := []snippet{{"setup", paragraphs("<?php", strings.Join(environment, "\n"),
		`// send makes a request and reads its answer, which is JSON or a form.
function send(string $method, string $url, array $headers, ?string $body): array
{
    $lines = [];
    foreach ($headers as $name => $value) {
        $lines[] = "$name: $value";
    }
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $lines, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 10]);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
    }
    $text = curl_exec($curl);
    if ($text === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $said = [];
    if (str_starts_with((string) curl_getinfo($curl, CURLINFO_CONTENT_TYPE), 'application/x-www-form-urlencoded')) {
        parse_str($text, $said);
    } else {
        $said = json_decode($text, true) ?? []; // no body, or one for people
    }
    return ['status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE), 'text' => $text, 'said' => $said];
}`)}}
	out = append(out, snippet{"connect", paragraphs(
		`// newSecret is a state, which you keep in the person's session until they come
// back`+when(s.pkce, `, or a verifier, which is kept there too`)+`.
function newSecret(): string
{
    return bin2hex(random_bytes(32));
}`,
		when(s.pkce, `// challengeOf is the digest of a verifier, which the link carries.
function challengeOf(string $codeVerifier): string
{
    return rtrim(strtr(base64_encode(hash('sha256', $codeVerifier, true)), '+/', '-_'), '=');
}`),
		fmt.Sprintf("function connectURL(%s): string\n{\n    return %s;\n}", typed(s.connect), l.address(s.connect)))})
	out = append(out, snippet{"callback", fmt.Sprintf(`// callback reads what came back, such as $_GET, and gives the code. Where the
// session has no state, the answer is to nobody's question.
function callback(array $came, string $state): string
{
    if ($state === '' || !hash_equals($state, (string) %s)) {
        throw new RuntimeException("not the answer to this person's question");
    }
    if (%s) {
        throw new RuntimeException('not connected: ' . %s);
    }
    return %s;
}`, l.at("$came", s.state), l.at("$came", s.error), l.at("$came", s.error), l.at("$came", s.code))})
	out = append(out, snippet{"exchange", paragraphs(tokens("tokens", s.exchanged),
		fmt.Sprintf("function exchange(%s): array\n{\n    return tokens(%s);\n}", typed(s.exchange), l.send(s.exchange)))})
	out = append(out, snippet{"call", function("call", s.call)})
	if s.whoami != nil {
		out = append(out, snippet{"whoami", function("whoami", s.whoami)})
	}
	if s.refresh != nil {
		reader, own := "tokens", ""
		if !reflect.DeepEqual(s.exchanged, s.refreshed) {
			reader, own = "refreshedTokens", tokens("refreshedTokens", s.refreshed)
		}
		out = append(out, snippet{"refresh", paragraphs(own,
			fmt.Sprintf("function refresh(%s): array\n{\n    return %s(%s);\n}", typed(s.refresh), reader, l.send(s.refresh)))})
	}
	if s.disconnect != nil {
		out = append(out, snippet{"disconnect", fmt.Sprintf(`function disconnect(%s): void
{
    $answer = %s;
    if ($answer['status'] >= 300) {
        throw new RuntimeException("not disconnected, {$answer['status']}: {$answer['text']}");
    }
}`, typed(s.disconnect), l.send(s.disconnect))})
	}
	return out
}
