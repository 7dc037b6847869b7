package registry

import (
	"fmt"

	"postern.dev/postern"
)

// formats are the formats of access tokens, as files and forms write them.
var formats = map[string]postern.TokenFormat{"opaque": postern.Opaque, "jwt": postern.JWT}

func aboutFormat(text string) string {
	if _, known := formats[text]; !known {
		return fmt.Sprintf("%q is no format of access tokens; write opaque or jwt", text)
	}
	return ""
}

func formatOf(text *string) *postern.TokenFormat {
	if text == nil {
		return nil
	}
	format := formats[*text]
	return &format
}

// aboutSigned says why an app may not have signed access tokens, if it wants them.
func (r *Rules) aboutSigned(a *postern.App) string {
	facts, mounted := r.Dialects[a.Dialect]
	switch {
	case a.AccessTokenFormat != postern.JWT || !mounted:
		return ""
	case !facts.SignedTokens:
		return fmt.Sprintf("is jwt, and access tokens of the dialect %s have a form or a life that a signed one cannot have; write opaque, or let the dialect's file say format: by app", a.Dialect)
	case facts.AccessLife == 0 || facts.AccessLife > r.LongestSigned:
		return fmt.Sprintf("is jwt, and access tokens live longer than %s here: nobody who only reads a signed one hears that it has ended; shorten lifetimes.access (or expires in the dialect's file), or write opaque", r.LongestSigned)
	}
	return ""
}
