package admin

import (
	"encoding/json"
	"time"
)

// route is an address, who may use it, what it does, and what is to be known of
// it. A route that is not in this table does not exist (I-43); the document of
// the API is made of it.
type route struct {
	pattern string
	right   string // that an operator's token must have; "": none has it
	apps    bool   // apps may, for themselves
	query   []string
	most    int64 // bytes of body
	serve   func(*Door, *call) error
	about   about
}

// about is what a reader is told of a route. Bodies are examples: their types
// are what is taken and given.
type about struct {
	id       string // what generated clients call it
	group    string
	title    string
	text     string
	takes    []any // the bodies it takes, each in its form; none: no body
	optional bool  // the body may be left out
	status   int   // of the answer when all is well
	gives    []any
	conflict string // when it answers 409; "": never
}

const smallBody = 64 << 10

const (
	events     = "Events"
	endpoints  = "Webhook endpoints"
	deliveries = "Deliveries"
)

// groups are told of in this order.
var groups = []struct{ name, text string }{
	{events, "What happened: published by the operator's product, read by apps."},
	{endpoints, "Where an app's events are sent, and how they are signed."},
	{deliveries, "Each event on its way to an app: what was sent, what was answered, and sending it again."},
}

// parameters are those of queries and paths, by name.
var parameters = map[string]parameter{
	"app":    {"string", "The app's client_id.", "partner-x"},
	"event":  {"string", "The event's id.", "evt_4JdQ2r7a"},
	"after":  {"integer", "The cursor of the answer before this; leave it out the first time.", 17},
	"wait":   {"integer", "How many seconds to wait for something to happen: 0 to 30; 30 where after is given.", 30},
	"limit":  {"integer", "How many to give at most: up to 200; 100 where it is left out.", 50},
	"cursor": {"integer", "The cursor of the page before this.", 17},
	"state":  {"string", "Only those of this state: open, delivered, parked, kept or withheld.", "parked"},
	"since":  {"time", "Only what happened then or later.", example.at},
	"until":  {"time", "Only what happened then or earlier.", example.at},
}

// parameter is its kind, its meaning and an example.
type parameter struct {
	kind    string // integer, string, time
	text    string
	example any
}

// example holds what the examples have in common.
var example = struct {
	at       time.Time
	on       *bool
	day      *int64
	delivery deliveryView
	publish  publication
}{
	at: time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC),
	on: new(true), day: new(int64(86400)),
	delivery: deliveryView{ID: "evt_4JdQ2r7a", Type: "connection.created", Timestamp: time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC),
		State: "parked", Attempts: 10, DoneAt: new(time.Date(2027, 2, 3, 14, 0, 0, 0, time.UTC)), Why: "No attempt succeeded in three days."},
	publish: publication{ID: "candidate-17-v4", Type: "candidate.updated", AccountID: "acc_9f3k", Data: json.RawMessage(`{"candidate_id":"17"}`)},
}

var routes = []route{
	{pattern: "POST /api/v1/events", right: "events.publish", most: 20 << 20, serve: (*Door).publish, about: about{
		id: "publishEvents", group: events, title: "Publish events of the product",
		text:  "Takes one event, or a list of up to 1,000 as a whole. Each goes to the apps whose connection to the account is live and holds the scope when it is sent.",
		takes: []any{example.publish, []publication{example.publish}}, status: 202,
		gives:    []any{receipt{"candidate-17-v4", "published"}, receipts{[]receipt{{"candidate-17-v4", "published"}}}},
		conflict: "An event with this id was published before, with other contents."}},
	{pattern: "GET /api/v1/events", apps: true, query: []string{"after", "limit", "wait"}, serve: (*Door).pull, about: about{
		id: "pullEvents", group: events, title: "Read the app's events",
		text:   "In order, from after a cursor, whether they were sent to an endpoint or not. Where there is nothing new the request waits.",
		status: 200, gives: []any{feed{[]event{{"evt_4JdQ2r7a", "connection.created", example.at, map[string]any{"connection_id": "con_7h2m", "sequence": 1}}}, "17"}}}},

	{pattern: "GET /api/v1/apps/{app}/webhook", right: "webhooks.read", apps: true, serve: (*Door).endpoint, about: about{
		id: "getWebhook", group: endpoints, title: "Show an endpoint and its health",
		status: 200, gives: []any{endpointView{App: "partner-x", URL: "https://partner.example/hook", Status: "healthy", LastSuccess: &example.at, Ordered: true}}}},
	{pattern: "POST /api/v1/apps/{app}/webhook/test", right: "webhooks.write", apps: true, most: smallBody, serve: (*Door).test, about: about{
		id: "testWebhook", group: endpoints, title: "Send a test event",
		text:   "Sends an event of the type postern.test, that says nothing.",
		status: 202, gives: []any{receipt{"evt_4JdQ2r7a", "published"}}, conflict: "The app has no webhook_url to send to."}},
	{pattern: "POST /api/v1/apps/{app}/webhook/rotate", right: "webhooks.write", apps: true, most: smallBody, serve: (*Door).rotate, about: about{
		id: "rotateWebhookSecret", group: endpoints, title: "Change the secret",
		text:  "Makes a new secret and shows it once. The old one signs too for a while, so that a receiver can change over.",
		takes: []any{rotation{example.day}}, optional: true, status: 200, gives: []any{rotated{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}},
	{pattern: "PUT /api/v1/apps/{app}/webhook/order", right: "webhooks.write", apps: true, most: smallBody, serve: (*Door).order, about: about{
		id: "setWebhookOrder", group: endpoints, title: "Choose whether order is kept",
		takes: []any{ordering{example.on}}, status: 200, gives: []any{ordering{example.on}}}},
	{pattern: "PUT /api/v1/apps/{app}/webhook/ed25519", right: "webhooks.write", apps: true, most: smallBody, serve: (*Door).ed25519, about: about{
		id: "setWebhookEd25519", group: endpoints, title: "Sign with Ed25519, too",
		text:  "For receivers that would rather hold no secret.",
		takes: []any{signing{example.on}}, status: 200, gives: []any{signed{true, "whpk_oQ5PvVOQ5tbX1qVJMwx1tI6C1u7uRm8TXMAfbvZJmrM="}}}},

	{pattern: "GET /api/v1/apps/{app}/deliveries", right: "webhooks.read", apps: true, query: []string{"state", "since", "until", "cursor", "limit"}, serve: (*Door).deliveries, about: about{
		id: "listDeliveries", group: deliveries, title: "List deliveries, the latest first",
		status: 200, gives: []any{deliveryList{[]deliveryView{example.delivery}, "17"}}}},
	{pattern: "GET /api/v1/apps/{app}/deliveries/{event}", right: "webhooks.read", apps: true, serve: (*Door).delivery, about: about{
		id: "getDelivery", group: deliveries, title: "Show a delivery with its attempts",
		status: 200, gives: []any{deliveryDetail{example.delivery,
			json.RawMessage(`{"type":"connection.created","timestamp":"2027-01-31T12:00:00Z","data":{"connection_id":"con_7h2m","sequence":1}}`),
			[]attemptView{{Number: 10, At: example.at, TookMS: 84, Status: 503, Reply: "try later"}}}}}},
	{pattern: "POST /api/v1/apps/{app}/deliveries/replay", right: "webhooks.write", apps: true, most: smallBody, serve: (*Door).replay, about: about{
		id: "replayDeliveries", group: deliveries, title: "Send deliveries again",
		text:  "One event, or all of a state and a time, at most 1,000 in a request, oldest first and with the same ids. An endpoint that said 410 is sent to again.",
		takes: []any{selection{State: "parked"}}, status: 202, gives: []any{replayed{12}}, conflict: "The app has no webhook_url to send to."}},
}
