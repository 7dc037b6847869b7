package identity

import (
	"fmt"
	"strings"

	"postern.dev/postern"
)

// write fills a letter in.
func (r *Rules) write(l letter, secret postern.Secret) string {
	return fmt.Sprintf(l.text, r.PublicURL+l.path+string(secret))
}

// quoted puts what others chose into a letter's text.
func quoted(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// InvitePath is where invitations and registrations lead; the secret follows.
const InvitePath = "/portal/invite/"

// ResetPath is where resets of a realm lead.
func ResetPath(realm postern.Realm) string {
	if realm == postern.OperatorRealm {
		return "/operator/reset/"
	}
	return "/portal/reset/"
}

func inviteLetter(partner string, role postern.Role, by string) letter {
	invited := "you are invited"
	if by != "" {
		invited = by + " invites you"
	}
	return letter{
		subject: "You are invited to " + partner,
		text: "Hello,\n\n" + quoted(invited) + " to our partner portal, as " + string(role) + " of " + quoted(partner) + `:

    %s

The link works once, and for seven days. It is for this e-mail address alone.
If you did not expect it, there is nothing to do.
`,
		path: InvitePath,
	}
}

func registerLetter(company string) letter {
	return letter{
		subject: "Confirm your e-mail address",
		text: "Hello,\n\nsomebody, most likely you, has registered " + quoted(company) + ` at our partner portal with
this e-mail address. To go on, open

    %s

The link works once, and for seven days. If it was not you, there is nothing to
do: without the link nothing happens.
`,
		path: InvitePath,
	}
}

func resetLetter(realm postern.Realm) letter {
	return letter{
		subject: "Set a new password",
		text: `Hello,

with this link you can set a new password for your sign-in:

    %s

It works once, and for a day. Setting the password signs you out everywhere.
Until you do, your old password goes on working. If you did not ask for it,
there is nothing to do.

Whoever has the link can set your password: please do not pass it on.
`,
		path: ResetPath(realm),
	}
}

// answerLetter tells the owners of a partner what an operator decided.
func answerLetter(partner string, approved bool, reason, address string) (subject, text string) {
	if approved {
		return partner + " is approved", "Hello,\n\n" + partner + " is approved. Go on at\n\n    " + address + "\n"
	}
	return partner + " is not approved", "Hello,\n\n" + partner + " is not approved. The reason that was given:\n\n    " + reason + "\n"
}
