package ui

import (
	"fmt"
	"html/template"
	"time"
	"unicode"

	"postern.dev/postern"
)

// words are what templates say things with.
var words = template.FuncMap{
	"letter": letter, "tint": tint,
	"counted": counted, "named": named, "link": link,
}

// machineTime is the datetime attribute of a <time>.
func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Wait is how long to wait, in words that are never too short.
func Wait(d time.Duration) Text {
	switch minutes := int((d + time.Minute - 1) / time.Minute); {
	case d <= 30*time.Second:
		return Say("a moment")
	case minutes == 1:
		return Say("a minute")
	case minutes <= 90:
		return Say("%d minutes", minutes)
	default:
		return Say("%d hours", (minutes+59)/60)
	}
}

// letter is the mark of an app that has no logo here: its name's first letter
// or digit.
func letter(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

// tint is one of six background colours, always the same for one id.
func tint(id string) string {
	hash := postern.Secret(id).Hash()
	return fmt.Sprintf("tint-%d", hash[0]%6)
}
