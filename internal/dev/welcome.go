package dev

import (
	"fmt"
	"io"
	"strings"

	"postern.dev/postern/internal/dialect"
)

// handState and handVerifier are of links that somebody opens by hand: the
// partner's site did not make them, and leaves their code alone.
const (
	handState    = "by-hand"
	handVerifier = "a-verifier-for-links-that-are-opened-by-hand-0"
)

func handVerifierOf(app *dialect.Speaker) string {
	if app.UsesPKCE() {
		return handVerifier
	}
	return ""
}

// handLink is an authorize link to paste into a browser.
func handLink(app *dialect.Speaker) string {
	if app.UsesPKCE() {
		return app.Authorize(handState, challengeOf(handVerifier))
	}
	return app.Authorize(handState, "")
}

// welcome says where everything is, who may sign in, and what to paste.
func (d *demo) welcome(w io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("Postern is running, with people, apps and secrets that are made up. Its data is in %s.", d.dir)
	for _, note := range d.notes {
		say("%s", note)
	}
	say(`
  %-34s %s
  %-34s %s
  %-34s %s
  %-34s %s
  %-34s %s
  %-34s %s

People (password of all: %s)`,
		d.at.partner, "the sample partner's site, with a Connect button for each dialect",
		d.at.public+"/connections", "what an account's people see of it",
		d.at.public+"/portal", "the partner portal: apps, keys, what happened and why",
		d.at.public+"/operator", "what the people who run Postern see",
		d.at.api+"/candidates", "the sample API, behind the token check",
		d.at.internal+"/check", "the token check, as a gateway asks it", password)
	for _, p := range people {
		var roles []string
		for _, r := range p.roles {
			roles = append(roles, r[1]+" of "+r[0])
		}
		say("  %-18s %s", p.email, strings.Join(roles, ", "))
	}
	say("  %-18s owner of %s, at the portal (password: %s)", devEmail, partnerName, password)
	say("  %-18s operator (password: %s)", operatorEmail, password)
	say("\nBy hand: open a link, allow, and paste the command that you are shown; then the others, with what it answers.")
	for _, name := range d.partner.order {
		d.byHand(say, d.partner.apps[name])
	}
	say("\nAs the API itself, of any dialect's token (RFC 7662)\n  curl -u '%s:%s' -d token=\"$%s\" '%s/oauth/introspect'", apiID, apiSecret, accessBlank, d.at.public)
	say("\nThe files of this installation are %s/%s and %s. Ctrl-C ends it; --fresh begins anew.", d.dir, configFile, resourcesFile)
	// Last, for the commands above have moved all else off the screen.
	say(`
Begin at %s: press Connect, sign in, allow. Then end it at %s/connections,
and see on the partner's site that the API refuses the token.`, d.at.partner, d.at.public)
}

// byHand are the link and the commands of a dialect.
func (d *demo) byHand(say func(string, ...any), app *dialect.Speaker) {
	say("\n%s, at %s level\n  %s", app.Dialect.Name(), app.Dialect.Level(), handLink(app))
	say("  %s", app.Redeem("CODE", handVerifierOf(app)).Curl("CODE"))
	for _, command := range handCommands(app, d.at) {
		say("  %s", command)
	}
}

// The words that commands have in the place of what the server answers.
const accessBlank, refreshBlank = "ACCESS_TOKEN", "REFRESH_TOKEN"

func blanksOf(app *dialect.Speaker) []string {
	if app.Refresh(refreshBlank) == nil {
		return []string{accessBlank}
	}
	return []string{accessBlank, refreshBlank}
}

// handCommands call the API, refresh where the wire has it, and end it all.
func handCommands(app *dialect.Speaker, at places) (commands []string) {
	blanks := blanksOf(app)
	told := dialect.Told{"access_token": blanks[0]}
	if len(blanks) > 1 {
		told["refresh_token"] = blanks[1]
	}
	for _, m := range []*dialect.Request{app.Call("GET", at.api+"/candidates", accessBlank), app.Refresh(refreshBlank), app.Revoke(told)} {
		if m != nil {
			commands = append(commands, m.Curl(blanks...))
		}
	}
	return commands
}
