package ui

import (
	"time"

	"postern.dev/postern"
)

var (
	expired = postern.Sentence{Text: "The code had expired {at:ago} earlier. Codes live for {life:long}."}
	unlike  = postern.Sentence{Text: "The redirect_uri of the exchange differs from that of the authorize request {asked:unlike}",
		Parts: map[string]any{"asked:unlike": postern.Sentence{Text: "in its last character: {sent}", Parts: map[string]any{"sent": "/"}}}}
)

// logSamples are the pages about requests, connections and webhooks, by name.
func logSamples() map[string]Page {
	app := postern.App{ID: "partner-x", Name: "Partner X", Partner: postern.Partner{ID: "par_1", Name: "Partner Inc"}, WebhookURL: "https://partner.test/hook"}
	frame := func(tab string) AppFrame {
		return AppFrame{StaffFrame: StaffFrame{Prefix: "/portal", Staff: postern.Staff{ID: "stf_1", Name: "Devi"}, SignOutToken: "t", Section: "apps"},
			App: &app, Role: postern.Owner, Tab: tab}
	}
	refused := LogLine{ID: 7, At: day, RequestID: "req_1", Dialect: "standard", Endpoint: "token", Method: "POST", Grant: "authorization_code", Status: 400,
		Took: 3456 * time.Microsecond, Address: "192.0.2.1", Outcome: "refused", Account: postern.Account{ID: "acc_1", Name: "Acme"}, Connection: "con_1",
		Rule: "code_redirect_uri_mismatch", What: SayFilled(unlike), Do: SayFilled(postern.Sentence{Text: "Send the very same text both times: {asked}. The code is spent; begin again.", Parts: map[string]any{"asked": "https://a.test"}}), More: 812,
		Sent: []Sent{{"code", "abcd… (43 characters)"}}, Asked: "https://a.test/", Right: "https://a.test"}
	granted := LogLine{ID: 6, At: day, Endpoint: "refresh", Status: 200, Outcome: "granted", Proved: true}
	listing := postern.Listing{Connection: postern.Connection{ID: "con_1", Scopes: []string{"a", "b"}, CreatedAt: day, LastUsedAt: day},
		Account: postern.Account{ID: "acc_1", Name: "Acme", SandboxOf: "par_1"}, Maker: postern.User{Nickname: "ada"}}
	own := listing
	own.Connection.ID, own.Connection.UserID = "con_2", "usr_1"
	usage := func() *Usage {
		return NewUsage([]UsageDay{{Date: day, Calls: 10, Errors: 1, Strangers: 12}, {Date: day.Add(24 * time.Hour)}, {Date: day.Add(48 * time.Hour), Calls: 1000}})
	}
	healthy := HookEndpoint{URL: app.WebhookURL, Status: "healthy", LastSuccess: day, Ordered: true}
	failing := HookEndpoint{URL: app.WebhookURL, Status: "failing", Failures: 3, FailingSince: day, Waiting: 2, Parked: 1}
	deliveries := []DeliveryLine{
		{ID: "evt_1", Type: "connection.created", At: day, Account: postern.Account{ID: "acc_1", Name: "Acme", SandboxOf: "par_1"}, State: "delivered", Attempts: 1, DoneAt: day},
		{ID: "evt_2", Type: "connection.deleted", At: day, State: "open", Attempts: 2, NextTry: day},
		{ID: "evt_3", Type: "connection.deleted", At: day, State: "open", Behind: true},
		{ID: "evt_4", Type: "connection.deleted", At: day, State: "parked", Attempts: 12, Why: SayWritten("No attempt succeeded in three days.")},
		{ID: "evt_5", Type: "connection.deleted", At: day, State: "kept"}, {ID: "evt_6", Type: "connection.deleted", At: day, State: "withheld"},
	}
	sometime := NewForm(map[string][]string{"until": {"yesterday"}})
	sometime.Refuse("until", Say("Write a time as 2026-11-24T19:30, in UTC."))
	since := sometime.Field(Field{Name: "since", Label: Say("From (UTC)"), Type: "datetime-local"})
	until := sometime.Field(Field{Name: "until", Label: Say("To (UTC)"), Type: "datetime-local"})
	busy := &AppPage{AppFrame: frame(""), Token: "t", Usage: usage(), Refused: LogLines{app.ID, []LogLine{refused}, "?outcome=refused"}}
	return map[string]Page{
		"portal-app-busy":    busy,
		"portal-log":         &LogPage{AppFrame: frame("log"), Usage: usage(), Entries: []LogLine{refused, granted}, Older: "/portal/apps/partner-x/log?before=6", Most: 10_000, Days: 7},
		"portal-log-none":    &LogPage{AppFrame: frame("log"), Usage: NewUsage(make([]UsageDay, 30)), Most: 10_000, Days: 7},
		"portal-log-off":     &LogPage{AppFrame: frame("log"), Usage: usage()},
		"portal-log-entry":   &LogEntryPage{AppFrame: frame("log"), Entry: refused},
		"portal-log-granted": &LogEntryPage{AppFrame: frame("log"), Entry: granted},
		"portal-connections": &AppConnectionsPage{AppFrame: frame("connections"), Older: "/x", Lines: []AppConnection{
			{Listing: listing, Refresh: &refused}, {Listing: own}}},
		"portal-connections-none": &AppConnectionsPage{AppFrame: frame("connections"), Only: "acc_9"},
		"portal-webhooks":         &WebhooksPage{AppFrame: frame("webhooks"), Token: "t", Endpoint: failing, Deliveries: deliveries, Older: "/x", Since: since, Until: until},
		"portal-webhooks-well":    &WebhooksPage{AppFrame: frame("webhooks"), Token: "t", Endpoint: healthy, Since: since, Until: until},
		"portal-webhooks-gone":    &WebhooksPage{AppFrame: frame("webhooks"), Token: "t", Endpoint: HookEndpoint{URL: app.WebhookURL, Status: "disabled"}, State: "open", Since: since, Until: until},
		"portal-webhooks-pulls":   &WebhooksPage{AppFrame: frame("webhooks"), Token: "t", Endpoint: HookEndpoint{Status: "none"}},
		"portal-delivery": &DeliveryPage{AppFrame: frame("webhooks"), Token: "t", Delivery: deliveries[3], Body: "{}",
			Attempts: []AttemptLine{{Number: 2, At: day, Took: time.Second, Status: 500, Reply: "<b>no</b>"}, {Number: 1, At: day, Error: SayWritten("The endpoint refused the connection.")}}},
	}
}
