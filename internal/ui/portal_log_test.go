package ui

import (
	"strings"
	"testing"

	"postern.dev/postern"
)

// What stands for a secret is a sentence, and said in the reader's language; what
// was sent is shown as it was.
func TestTheLengthOfASecretIsSaidInTheReadersLanguage(t *testing.T) {
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{
		"12 characters": "12 Zeichen", "1 character": "1 Zeichen", "pos_abcd… (53 characters)": "pos_abcd… (53 Zeichen)",
		"12 characters long": "12 characters long", "<b>": "&lt;b&gt;", "100%d": "100%d",
	} {
		html, err := p.Render("de", &LogEntryPage{AppFrame: AppFrame{App: &postern.App{}}, Entry: LogLine{Sent: []Sent{{"code", sent}}}})
		if err != nil || !strings.Contains(string(html), "<dd><code>"+want+"</code></dd>") {
			t.Errorf("%s is not said as %s (%v)", sent, want, err)
		}
	}
}

// A stranger chooses facts: they are neither markup nor places for other facts.
func TestTheFactsOfAReasonAreNoMarkup(t *testing.T) {
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	reason := SayFilled(postern.Sentence{Text: "The code is of the dialect {dialect}, and was presented to {here}.",
		Parts: map[string]any{"dialect": "<b>{here}</b> & %s", "here": postern.Sentence{Text: "less than a second"}}})
	html, err := p.Render("de", &LogEntryPage{AppFrame: AppFrame{App: &postern.App{}}, Entry: LogLine{What: reason, Do: reason}})
	const want = "Der Code gehört zum Dialekt <bdi>&lt;b&gt;{here}&lt;/b&gt; &amp; %s</bdi> und wurde bei weniger als eine Sekunde vorgezeigt."
	if err != nil || !strings.Contains(string(html), want) {
		t.Errorf("the page says otherwise (%v)", err)
	}
	if got := p.Plain("de", reason); got != "Der Code gehört zum Dialekt <b>{here}</b> & %s und wurde bei weniger als eine Sekunde vorgezeigt." {
		t.Errorf("without markup: %s", got)
	}
}

func TestTheAuditLogNamesOnceWhoActedOnThemselves(t *testing.T) {
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	records := func(actor string) int {
		html, err := p.Render("en", &AuditPage{Records: []postern.AuditRecord{{At: day, Actor: actor, Action: "sign_in", Object: "staff:stf_1", Address: "192.0.2.1"}}})
		if err != nil || !strings.Contains(string(html), "192.0.2.1") {
			t.Errorf("no address: %v", err)
		}
		return strings.Count(string(html), "<bdi>staff:stf_")
	}
	if one, two := records("staff:stf_1"), records("staff:stf_2"); one != 1 || two != 2 {
		t.Errorf("named %d times, and beside another %d times", one, two)
	}
}
