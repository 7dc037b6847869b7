package ui

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"

	"postern.dev/postern"
)

// words are what templates say things with.
var words = template.FuncMap{
	"machine": machineTime, "day": Day, "letter": letter, "tint": tint, "list": List,
	"counted": counted, "named": named, "link": link, "moment": Moment,
}

// Day is a date as people write it, in UTC: "24 November 2026".
func Day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// Moment is a point in time to the second, in UTC: "24 November 2026, 19:52:32 UTC".
func Moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }

// machineTime is the datetime attribute of a <time>.
func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// List joins words as a sentence does: "a", "a or b", "a, b or c".
func List(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// Wait is how long to wait, in words that are never too short.
func Wait(d time.Duration) string {
	switch minutes := int((d + time.Minute - 1) / time.Minute); {
	case d <= 30*time.Second:
		return "a moment"
	case minutes == 1:
		return "a minute"
	case minutes <= 90:
		return fmt.Sprintf("%d minutes", minutes)
	default:
		return fmt.Sprintf("%d hours", (minutes+59)/60)
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
