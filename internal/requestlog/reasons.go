package requestlog

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
)

// Reason is a failure in words: what happened, and what to do about it.
type Reason struct {
	Rule postern.Rule
	What postern.Sentence
	Do   postern.Sentence
}

// reason makes the words for one rule, with the facts of one failure. A fact is
// named in them: {name} as it is, {at:ago} as a time before the request,
// {life:long} as a duration, {length:characters} as a count of them,
// {problem:said} as words of our own, {reason:ender} as who or what ended
// something, {asked:unlike} as how what was sent differs.
type reason func(*told) (what, do string)

// told is a failure that is to be put into words.
type told struct {
	facts map[string]string
	at    time.Time
}

// Why says why an entry's request failed, or did nothing; nil: it did neither.
func (e *Entry) Why() *Reason {
	if e.Outcome == Granted {
		return nil
	}
	f := &told{e.Facts, e.At}
	say, known := reasons[e.Rule]
	if !known {
		say = faults[e.Kind]
	}
	if say == nil {
		say = faults[postern.ServerError]
	}
	what, do := say(f)
	return &Reason{Rule: postern.Rule(cmp.Or(string(e.Rule), string(e.Kind))), What: f.sentence(what), Do: f.sentence(do)}
}

// faults are failures of ours, which no rule decided.
var faults = map[postern.Kind]reason{
	postern.Unavailable: plain("We could not answer: a part of our service did not.", tryAgain),
	postern.ServerError: plain("We could not answer: this is a fault of ours, and nothing was changed.", tryAgain),
}

const tryAgain = "Try again in a few seconds. If it goes on, tell us the request id."

func plain(what, do string) reason { return func(*told) (string, string) { return what, do } }

var placeholder = regexp.MustCompile(`\{([a-z_]+)(?::([a-z]+))?\}`)

// sentence finds the facts that a text names.
func (f *told) sentence(text string) postern.Sentence {
	s := postern.Sentence{Text: text, Parts: map[string]any{}}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		s.Parts[strings.Trim(m[0], "{}")] = f.part(m[1], m[2])
	}
	return s
}

func (f *told) part(name, form string) any {
	value := f.facts[name]
	switch form {
	case "ago":
		return long(f.at.Sub(time.UnixMilli(number(value))))
	case "long":
		return long(time.Duration(number(value)) * time.Millisecond)
	case "characters":
		return characters(int(number(value)))
	case "said":
		return postern.Sentence{Text: cmp.Or(value, "none")}
	case "ender":
		return postern.Sentence{Text: cmp.Or(ends[postern.EndReason(value)], "because newer ones took their place")}
	case "unlike":
		return differs(f.facts["sent"], value)
	}
	if value == "" {
		return postern.Sentence{Text: "none"}
	}
	return cut(value)
}

func characters(n int) postern.Sentence {
	if n == 1 {
		return postern.Sentence{Text: "1 character"}
	}
	return postern.Sentence{Text: "{n} characters", Parts: map[string]any{"n": n}}
}

func (f *told) is(name string) bool { return f.facts[name] == "true" }

// lacks reports that a fact is known to be nothing.
func (f *told) lacks(name string) bool {
	value, known := f.facts[name]
	return known && value == ""
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// long is a duration as people say it: "4 s", "12 minutes", "3 days".
func long(d time.Duration) postern.Sentence {
	switch d = max(d, 0); {
	case d < time.Second:
		return postern.Sentence{Text: "less than a second"}
	case d < 2*time.Minute:
		return many("{n} s", d/time.Second)
	case d < 2*time.Hour:
		return many("{n} minutes", d/time.Minute)
	case d < 2*day:
		return many("{n} hours", d/time.Hour)
	}
	return many("{n} days", d/day)
}

func many(text string, n time.Duration) postern.Sentence {
	return postern.Sentence{Text: text, Parts: map[string]any{"n": int(n)}}
}

// reasons is the one table of ways to fail. A test holds it against what the
// rules and doors can say, and another walks through it over HTTP.
var reasons = map[postern.Rule]reason{
	// Which app.
	"unknown_client":         plain("No app has this client_id here.", "Compare the client_id with the one on the app's page, and the address with the one in the guide."),
	"app_disabled":           plain("The app is switched off, or its partner is.", "Ask the operator to switch it on again."),
	"dialect_mismatch":       plain("The app was asked for at an address of the dialect {here}, and it speaks {speaks}.", "Use the addresses in the app's own guide, or ask the operator to let the app speak {here} too."),
	"other_partners_sandbox": plain("The account is another partner's sandbox account.", "Connect one of your own sandbox accounts, or a real account."),

	// Redirect URLs.
	"redirect_uri_missing": plain("The request names no redirect_uri, and one is needed.", "Send the redirect_uri that you registered: {registered}."),
	"redirect_uri_mismatch": func(f *told) (string, string) {
		if f.lacks("registered") {
			return "The app has no redirect URL registered, and the request names one.", "Register {sent} on the app's page."
		}
		return "The redirect_uri differs from the registered one {registered:unlike}",
			"Send {registered}, or register the other one too. They are compared byte for byte."
	},
	"redirect_uri_changed":       plain("The app's redirect URL {asked} was taken away while the person was deciding.", "Begin again with a redirect URL that is registered."),
	"code_redirect_uri_missing":  plain("The exchange names no redirect_uri, and the authorize request did.", "Send the same redirect_uri with the code: {asked}. The code is spent; begin again."),
	"code_redirect_uri_mismatch": plain("The redirect_uri of the exchange differs from that of the authorize request {asked:unlike}", "Send the very same text both times: {asked}. The code is spent; begin again."),

	// The authorize request.
	"state_too_long":           plain("The state has {length} bytes, and {most} are the most.", "Keep what you need on your side, and send a short name for it as state."),
	"request_object":           plain("The request came as a request object, and these are not supported.", "Send the parameters plainly, without request and request_uri."),
	"response_type_wrong":      plain("The request asks for response_type={sent}, and only code is supported.", "Send response_type=code."),
	"response_mode_wrong":      plain("The request asks for response_mode={sent}, and only query is supported.", "Leave response_mode out."),
	"prompt_contradicts":       plain("The request says prompt={sent}, and none goes with no other word.", "Send prompt=none alone, or leave none out."),
	"pkce_missing":             plain("The request has no PKCE challenge, and one is required.", "Send code_challenge and code_challenge_method=S256, and code_verifier with the code. OAuth libraries have a switch for it."),
	"pkce_challenge_malformed": challengeMalformed,
	"secret_not_recoverable":   plain("This wire signs its answers with the app's secret, and the app's is not kept in a form to sign with.", "Make a new secret for the app, and use it from then on."),

	// Scopes.
	"scope_malformed":            plain("The scope parameter is not a list of scope names.", "Send names of scopes, parted as the guide shows."),
	"scope_not_allowed":          plain("The app asks for the scope {scope}, and it may ask for: {allowed}.", "Leave {scope} out, or ask for it to be added to the app. Look for a typing error first."),
	"scope_missing":              plain("The request names no scope, and the app has no default ones. It may ask for: {allowed}.", "Name the scopes that the app needs."),
	"scope_without_second_token": plain("The request names scopes of a second token, and this wire has none.", "Name them as ordinary scopes, or leave them out."),
	"scope_taken_away":           plain("The app may not have the scopes any more that were approved: {granted}.", "Ask for them to be added to the app again, or let the person connect anew with other scopes."),
	"scope_widened":              plain("The request names the scope {scope}, and the person approved: {granted}.", "Leave the scope parameter out to get all that was approved. For more, let the person connect again."),

	// The person's answer.
	"denied_by_person":      plain("The person did not allow it.", "Nothing is wrong with the app. Let the person go on without the connection, and offer it again later."),
	"login_required":        plain("The request says prompt=none, and the person is not signed in.", "Begin again without prompt=none."),
	"consent_required":      plain("The request says prompt=none, and the person has not allowed all of it before.", "Begin again without prompt=none."),
	"account_not_chosen":    plain("The person chose no account.", "Nothing is wrong with the app. The person may try again."),
	"account_not_asked_for": plain("The person answered for another account than the request names.", "Nothing is wrong with the app. The person may try again with the right account."),
	"app_not_live":          plain("The app has not been approved for real accounts yet, and a real one was chosen.", "Connect a sandbox account of your own until then, or ask for the approval on the app's page."),
	"account_disabled":      plain("The account is switched off.", "It comes back when the operator switches it on. Until then nothing works for it."),
	"person_disabled":       plain("The person who approved is switched off.", "Let somebody else of the account connect."),
	"person_left_account":   plain("The person who approved is not a member of the account any more.", "Let somebody else of the account connect."),
	"role_not_allowed":      plain("The person's role in the account is {role}, and only these may connect the app: {allowed}.", "Let somebody with such a role connect."),

	// Who the app is.
	"client_unnamed":         plain("The request does not say which app asks.", "Send {names}."),
	"client_secret_missing":  plain("The request names the app and shows no client secret.", "Send the secret as the guide shows. Look whether the setting that holds it is empty where the program runs."),
	"wrong_client_secret":    wrongSecret,
	"secret_expired":         plain("The client secret {secret} is the right one, and it expired {at:ago} earlier.", "Use the app's valid secret: {valid}. If there is none, make one on the app's page."),
	"public_app_introspects": plain("The app is public: it has no secret to prove who it is, so it cannot look tokens up.", "Keep the expiry that came with the token, or register an app that can keep a secret."),
	"public_app_sent_secret": plain("The app is public, so it has no secret, and the request shows one.", "Leave the secret out. An app that can keep one is better registered as confidential."),
	"client_auth_twice":      plain("The request authenticates the app in two places.", "Use the Authorization header or the body, not both."),
	"basic_malformed":        plain("The Authorization header says Basic, and what follows cannot be read.", "Send base64(client_id:client_secret), each half percent-encoded first (RFC 6749 §2.3.1), without line breaks."),
	"assertion_without_keys": plain("The app signs its request, and it has no key registered to check it with.", "Register the app's public key (JWKS)."),
	"assertion_signature":    plain("The client_assertion is not signed with a key that is registered for the app.", "Compare the kid and the algorithm with the registered keys. Register a new key before you sign with it."),
	"assertion_wrong":        plain("The client_assertion is signed well, and yet not valid: {problem:said}.", "Make a new one for each request, with iss and sub the client_id, aud the issuer, a new jti, and exp a minute away."),
	"assertion_type_wrong":   plain("The client_assertion_type is {sent}.", "Send urn:ietf:params:oauth:client-assertion-type:jwt-bearer."),
	"api_refused":            plain("The API's own credentials are wrong or switched off.", "Ask the operator for new ones."),
	"rate_limited":           plain("More than {most} wrong authentications of this app came from one address in a minute, so the rest are not looked at.", "Stop retrying: the same wrong secret fails again. Right ones get through all the time."),

	// How the request is written.
	"parameter_missing":       parameterMissing,
	"parameter_twice":         plain("The parameter {name} is given twice.", "Send it once."),
	"parameter_in_two_places": plain("The parameter {name} is given in two places.", "Send it in one of them."),
	"parameter_not_text":      plain("The parameter {name} is not a text.", "Send a text: in JSON a string, in quotation marks."),
	"parameter_encoding":      plain("The parameter {name} is not encoded as this wire has it.", "Encode it as the guide shows."),
	"header_missing":          plain("The header {name} is missing.", "Send it with each request, as the guide shows."),
	"header_twice":            plain("The header {name} is given twice.", "Send it once. Look whether a proxy adds it too."),
	"method_wrong":            plain("The request came with a method that this address does not take.", "Use the method that the guide shows. A redirect from http to https turns POST into GET."),
	"media_type_wrong":        mediaType,
	"body_too_large":          plain("The body is larger than 64 KiB.", "Send the parameters of the guide and nothing else."),
	"body_cut_short":          plain("The body did not arrive whole.", "Send it again. Compare Content-Length with what is sent, and look at the network between us."),
	"body_malformed":          plain("The body cannot be read.", "Send it as its Content-Type says."),
	"body_not_json":           bodyNotJSON,
	"body_not_form":           bodyNotForm,
	"query_malformed":         plain("The query of the address cannot be read.", "Percent-encode each value: % itself is %25."),
	"query_too_long":          plain("The query of the address is larger than 16 KiB.", "Send less: most of it is probably the state."),
	"fetched_ahead":           plain("A browser fetched the address ahead, without anybody having asked it to.", "Nothing was done. Send such requests from your server."),

	// Grants and codes.
	"grant_unknown":       plain("The grant_type {sent} is not one of this wire.", "Send one that it has: {grants}."),
	"grant_not_allowed":   plain("The app may not use the grant {grant}. It may use: {allowed}.", "Ask for the grant to be added to the app, or use another."),
	"itself_not_live":     plain("The app has not been approved yet, and asked for a token for itself.", "Ask for the approval on the app's page. Until then it works in its sandbox alone."),
	"refresh_not_offered": plain("This wire gives no refresh tokens for such a connection.", "Look in the guide under what condition it does."),
	"code_unknown":        codeUnknown,
	"code_redeemed_before": plain("This code was redeemed {at:ago} earlier by the same app: is the callback handled twice?",
		"Redeem each code once. The tokens of the first time have ended too, for a code that is shown twice may be stolen: let the person connect again."),
	"code_void": plain("This code was spent {at:ago} earlier without tokens: it was presented wrongly, or the connection was ended.",
		"Look at the entry of that time for what was wrong then. Let the person connect again."),
	"code_expired":          plain("The code had expired {at:ago} earlier. Codes live for {life:long}.", "Redeem it at once, in the request that brings it."),
	"other_apps_code":       plain("The code was not issued to this app.", "Use the client_id that asked for it. Look whether two apps share a callback."),
	"code_of_other_dialect": plain("The code is of the dialect {dialect}, and was presented to {here}.", "Send it to the token address of {dialect}."),
	"code_of_other_account": plain("The code is for another account than the address names.", "Use the address of the account that the person chose."),
	"code_without_pkce":     plain("Nothing but the code would prove the app: it was asked for without PKCE.", "Send code_challenge with the authorize request, and code_verifier with the code."),

	"pkce_verifier_missing":           plain("The code was asked for with PKCE, and the exchange has no code_verifier.", "Send the code_verifier from which the challenge was made. The code is spent; begin again."),
	"pkce_verifier_unexpected":        plain("The exchange has a code_verifier, and the code was asked for without a challenge.", "Send code_challenge with the authorize request. Look whether it is lost on the way. The code is spent; begin again."),
	"pkce_verifier_malformed":         plain("The code_verifier has {length:characters}, or some that it may not have.", "Use 43 to {most} of A–Z, a–z, 0–9 and -._~ (RFC 7636 §4.1). The code is spent; begin again."),
	"pkce_challenge_sent_as_verifier": plain("The exchange shows the challenge instead of the code_verifier.", "Keep the verifier, send its SHA-256 in base64url as challenge first, and the verifier itself with the code. The code is spent; begin again."),
	"pkce_verifier_wrong":             plain("The code_verifier does not fit the challenge of the authorize request.", "Keep the verifier per attempt, in the person's session: two attempts at once overwrite a shared one. The code is spent; begin again."),

	// Tokens.
	"refresh_token_unknown": refreshUnknown,
	"refresh_rotated_before": func(f *told) (string, string) {
		const do = "Keep the new refresh token of every answer before you use it, in one place for all your processes, and let one of them refresh at a time. Let the person connect again."
		if f.is("used") {
			return "This refresh token gave way to another {at:ago} earlier, which was used since. Two parties hold it, so all its tokens have ended.", do
		}
		return "This refresh token gave way to another {at:ago} earlier. Two parties hold it, so all its tokens have ended.", do
	},
	"refresh_token_expired":    plain("The refresh token expired {at:ago} earlier. It lived for {life:long} since it was last given.", "Refresh a connection now and then, also while nobody uses it. Let the person connect again."),
	"refresh_token_raced":      plain("Many callers used this refresh token at the same moment.", "Let one process refresh at a time, and the others wait for its answer."),
	"refresh_token_sent":       plain("A refresh token was shown where an access token is expected.", "Send the access token. The refresh token goes to the token address only."),
	"access_token_sent":        plain("An access token was shown where a refresh token is expected.", "Send the refresh token that came with it."),
	"other_apps_token":         plain("The token was not issued to this app.", "Use the credentials of the app that got it."),
	"token_unknown":            plain("No token like this is known here: it was never issued here, or ended more than a day ago.", "Look whether it was cut or changed in storage. If it is old, let the person connect again."),
	"token_malformed":          plain("What stands where the access token is expected is none.", "Send the token as the guide shows, byte for byte."),
	"token_not_base64":         plain("The access token must be base64-encoded on this wire, and was not.", "Encode it before you put it into the header."),
	"token_misplaced":          plain("The token is good, but was not sent as the dialect {dialect} has it.", "Send it as the guide of {dialect} shows: the scheme before it and its encoding count."),
	"token_in_two_places":      plain("The access token stands in two places.", "Send it in one."),
	"no_token":                 plain("The call has no access token.", "Send it as the guide shows."),
	"token_of_other_dialect":   plain("The token is of the dialect {dialect}, and was shown as one of {here}.", "Use the header that the guide of {dialect} shows."),
	"token_of_other_account":   plain("The token is for another account than the address names.", "Use the address of the account that the token is for."),
	"token_without_connection": plain("The token is for the app itself, and cannot be renewed.", "Ask for a new one in the same way."),
	"token_expired":            plain("The token expired {at:ago} earlier. It lived for {life:long}.", "Refresh it before it expires, or when a call says so."),
	"token_wire_gone":          plain("The token is of a wire that the operator has switched off.", "Connect again on the wire that your app speaks now; its settings name it."),
	"token_ended":              plain("The token was ended {at:ago} earlier: revoked, or replaced by a newer one.", "Use the newest token that you got. If the app revoked it, let the person connect again."),
	"family_ended":             plain("The tokens of this approval were ended {at:ago} earlier {reason:ender}.", "Look at the entries of that time for what ended them. Let the person connect again."),
	"connection_ended":         plain("The connection was ended {at:ago} earlier {reason:ender}.", "Stop using its tokens. Offer the person to connect again."),
	"connection_unknown":       plain("The app has no connection to the account {account}.", "Nothing is left to end."),

	// Calls of the API.
	"scope_insufficient": plain("The call needs the scope {scope}, and the token has: {granted}.", "Ask for {scope} when the person connects. A token never gets more than was approved."),
	"account_differs":    plain("The call is about the account {account}, and the token is for another.", "Use the token of that account's connection."),
	"route_unknown":      plain("No token opens this call: the API has no rule for it.", "Look for a typing error in the address and the method."),
	"route_unclean":      plain("The method or path of the call can be read in more than one way.", "Write the path plainly: no dots, double slashes or encoded ones."),
	"refused_meanwhile":  plain("The call was refused, and would not be now.", "Try again."),
}

func challengeMalformed(f *told) (string, string) {
	const do = "Send the SHA-256 of the verifier in base64url without padding, which has 43 characters, with code_challenge_method=S256."
	switch {
	case f.facts["method"] != "S256":
		return "The code_challenge_method is {method}, and only S256 is supported.", do
	case f.facts["length"] == "0":
		return "The request has a code_challenge_method and no code_challenge.", do
	case f.facts["length"] == "44":
		return "The code_challenge has 44 characters: it probably ends in the padding =.", do
	}
	return "The code_challenge has {length:characters}, or some that base64url does not have.", do
}

func wrongSecret(f *told) (string, string) {
	switch {
	case f.is("spaces"):
		return "The client secret is right but for a space or line break around it.", "Trim it where it is read from."
	case f.facts["valid"] == "":
		return "The client secret is wrong, and the app has no valid one.", "Make one on the app's page."
	}
	return "The client secret is wrong. One of {length:characters} was shown; valid are, by their last four characters: {valid}.",
		"Compare the last four characters of what your program sends. Was the secret changed, or is it that of another environment?"
}

func parameterMissing(f *told) (string, string) {
	if f.is("in_address") {
		return "The parameter {name} is missing from the body: it stands in the address.", "Send it in the body, where no log of addresses keeps it."
	}
	return "The parameter {name} is missing.", "Send it. Look whether the body is empty, or its Content-Type another than its contents."
}

func mediaType(f *told) (string, string) {
	const do = "Send the body as {wanted}, with that Content-Type."
	if f.lacks("sent") {
		return "The body came without a Content-Type, and {wanted} is expected.", do
	}
	return "The body came as {sent}, and {wanted} is expected.", do
}

func bodyNotJSON(f *told) (string, string) {
	if f.is("form") {
		return "The Content-Type says JSON, and the body looks like a form.", "Send application/x-www-form-urlencoded, or encode the body as JSON."
	}
	return "The body is not one well-formed JSON object.", "Encode it with a JSON library. Each name may stand once, and nothing may follow."
}

func bodyNotForm(f *told) (string, string) {
	if f.is("json") {
		return "The Content-Type says form, and the body looks like JSON.", "Encode the parameters as a form: name=value, joined by &."
	}
	return "The body is not a well-formed form.", "Percent-encode each value, the semicolon too."
}

// codeUnknown and refreshUnknown tell of what can be seen from outside: spaces, a
// wrong length.
func codeUnknown(f *told) (string, string) {
	const do = "Send the code byte for byte, as it came to the callback, percent-decoded once."
	switch {
	case f.is("spaces"):
		return "The code has a space or line break around it.", "Trim it where it is read from."
	case f.misfits():
		return "The code has {length:characters}, and ours have {usual}: it was cut, or something was added.", do
	}
	return "No code like this is known here: it was never issued here, or its day is long over.", do
}

func refreshUnknown(f *told) (string, string) {
	const do = "Look whether it was cut or changed in storage. If it is old, let the person connect again."
	switch {
	case f.is("spaces"):
		return "The refresh token has a space or line break around it.", "Trim it where it is read from."
	case f.misfits():
		return "The refresh token has {length:characters}, and ours have {usual}: it was cut, or something was added.", do
	}
	return "No refresh token like this is known here: it was never issued here, or ended more than a day ago.", do
}

func (f *told) misfits() bool {
	return number(f.facts["usual"]) > 0 && f.facts["length"] != f.facts["usual"]
}

// ends say who or what ended a connection.
var ends = map[postern.EndReason]string{
	postern.EndedByApp:      "by the app itself",
	postern.EndedByAccount:  "by a member of the account",
	postern.EndedByUser:     "by the person",
	postern.EndedByOperator: "by the operator",
	postern.AppRemoved:      "because the app was removed",
	postern.AccountRemoved:  "because the account was removed",
	postern.UserRemoved:     "because the person was removed",
	postern.TokenReuse:      "because a code or a refresh token was used twice",
	postern.Expired:         "because its last token expired unused",
}

// Compared are two texts that should have been the same, as the app sent it and
// as it should be; empty where the reason is no such difference.
func (e *Entry) Compared() (sent, right string) {
	switch e.Rule {
	case "redirect_uri_mismatch":
		return e.Facts["sent"], e.Facts["registered"]
	case "code_redirect_uri_mismatch":
		return e.Facts["sent"], e.Facts["asked"]
	}
	return "", ""
}
