package ui

import "postern.dev/postern"

// AuditPage is the log of what was done, the latest first.
type AuditPage struct {
	StaffFrame
	Records []postern.AuditRecord
	Form    *Form
	Actor   Field
	Object  Field
	More    string // address of older ones; empty: none
}

func (*AuditPage) Name() string { return "operator-audit" }
func (*AuditPage) Title() Text  { return Say("Audit log") }

// Did is an action in words.
func (*AuditPage) Did(action string) Text {
	if text, ok := actions[action]; ok {
		return text
	}
	return SayPlain("%s", action) // of a version that is newer than this one
}

// By is who did it.
func (*AuditPage) By(r postern.AuditRecord) Text {
	switch {
	case r.ActorName != "":
		return SayTheirs(r.ActorName)
	case r.Actor == "operator":
		return Say("an operator’s command")
	case r.Actor == "postern":
		return Say("Postern itself")
	case r.Actor == "stranger":
		return Say("somebody unknown")
	}
	return SayTheirs(r.Actor)
}

// actions are what audit records name, in words.
var actions = map[string]Text{
	"account.changed":        Say("Account changed"),
	"account.created":        Say("Account added"),
	"account.removed":        Say("Account removed"),
	"api.changed":            Say("API changed"),
	"api.created":            Say("API added"),
	"api.removed":            Say("API removed"),
	"app.approved":           Say("App approved"),
	"app.change_approved":    Say("Change of the app approved"),
	"app.change_rejected":    Say("Change of the app rejected"),
	"app.changed":            Say("App changed"),
	"app.created":            Say("App registered"),
	"app.disabled":           Say("App switched off"),
	"app.enabled":            Say("App switched on"),
	"app.keys_registered":    Say("Public keys of the app registered"),
	"app.keys_removed":       Say("Public keys of the app removed"),
	"app.proposal_withdrawn": Say("Change of the app withdrawn"),
	"app.proposed":           Say("Change of the app proposed"),
	"app.rejected":           Say("App rejected"),
	"app.removed":            Say("App removed"),
	"app.review_asked":       Say("Review of the app asked for"),
	"app.secret_ended":       Say("Client secret ended"),
	"app.secret_made":        Say("Client secret made"),
	"code.burned":            Say("Code spoiled"),
	"connection.ended":       Say("Connection ended"),
	"consent.allowed":        Say("Consent given"),
	"consent.denied":         Say("Consent refused"),
	"event.changed":          Say("Event type changed"),
	"event.created":          Say("Event type added"),
	"event.removed":          Say("Event type removed"),
	"family.ended":           Say("Tokens of one consent ended"),
	"invitation.renewed":     Say("Link of an invitation made anew"),
	"invitation.taken_back":  Say("Invitation taken back"),
	"key.made":               Say("Signing key made"),
	"mail.not_written":       Say("A mail could not be written"),
	"member.changed":         Say("Member of the team changed"),
	"member.created":         Say("Member of the team added"),
	"member.invited":         Say("Somebody invited to the team"),
	"member.joined":          Say("Somebody joined the team"),
	"member.removed":         Say("Member of the team removed"),
	"member.role_changed":    Say("Role in the team changed"),
	"operator.changed":       Say("Operator changed"),
	"operator.created":       Say("Operator added"),
	"operator.removed":       Say("Operator removed"),
	"operator_token.created": Say("Token for the REST API made"),
	"partner.approved":       Say("Partner approved"),
	"partner.changed":        Say("Partner changed"),
	"partner.created":        Say("Partner added"),
	"partner.disabled":       Say("Partner switched off"),
	"partner.enabled":        Say("Partner switched on"),
	"partner.refused":        Say("Partner refused"),
	"partner.removed":        Say("Partner removed"),
	"password.changed":       Say("Password changed"),
	"password.reset_made":    Say("Link for a new password made"),
	"password.reset_used":    Say("New password set by a link"),
	"sandbox.clock_moved":    Say("Clock of the sandbox moved"),
	"sandbox.made":           Say("Sandbox account made"),
	"sandbox.person_off":     Say("Person in the sandbox switched off"),
	"sandbox.person_on":      Say("Person in the sandbox switched on"),
	"sandbox.removed":        Say("Sandbox account removed"),
	"sandbox.tokens_expired": Say("Tokens in the sandbox expired"),
	"sandbox.webhooks_fail":  Say("Webhooks of the sandbox set to fail"),
	"scope.changed":          Say("Scope changed"),
	"scope.created":          Say("Scope added"),
	"scope.removed":          Say("Scope removed"),
	"sign_in.failed":         Say("Sign-in failed"),
	"sign_in.throttled":      Say("Sign-in refused after too many attempts"),
	"sign_in":                Say("Signed in"),
	"sign_out":               Say("Signed out"),
	"token.revoke_refused":   Say("Revocation of a token refused"),
	"token.revoked":          Say("Token revoked"),
	"user.changed":           Say("Person changed"),
	"user.created":           Say("Person added"),
	"user.removed":           Say("Person removed"),
	"webhook.key_changed":    Say("Webhook key changed"),
	"webhook.order_changed":  Say("Order of webhooks changed"),
	"webhook.replayed":       Say("Events sent again"),
	"webhook.secret_rotated": Say("Webhook key rotated"),
	"webhook.tested":         Say("Test event sent"),
}
