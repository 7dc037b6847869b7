package web

import (
	"errors"
	"log/slog"
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

// trouble is how a kind of error looks on a page.
type trouble struct {
	status  int
	heading ui.Text
	what    ui.Text // where the error says nothing itself
	do      ui.Text
}

var (
	backToApp = ui.Say("Nothing was shared. Go back to the app and start again from there; if that does not help, tell the people who make the app what you read here.")
	restart   = ui.Say("Go back to the app and start again from there. Nothing was shared.")
	backHome  = ui.Say("Check the address, or start at your connections.")
	later     = ui.Say("Please try again in a moment. Nothing was lost.")
)

// Kinds that only this door's pages know.
const (
	expiredQuestion postern.Kind = "expired_question"
	otherBrowser    postern.Kind = "other_browser"
	deadLink        postern.Kind = "dead_link"
)

// troubles is the one table of errors for people.
var troubles = map[postern.Kind]trouble{
	postern.NotFound:       {404, ui.Say("Nothing here"), ui.Say("There is no page at this address."), backHome},
	postern.Forbidden:      {403, ui.Say("This is not possible"), ui.Say("You may not do this."), ui.Say("Go back and load the page again. If you need this, ask whoever manages your account.")},
	postern.Conflict:       {409, ui.Say("Already answered"), ui.Say("This was answered before."), ui.Say("Go back to the app.")},
	postern.InvalidRequest: {400, ui.Say("This request does not work"), ui.Say("Something in the request is missing or wrong."), backToApp},
	postern.InvalidClient:  {400, ui.Say("This app is not available"), ui.Say("The app is not active here."), backToApp},
	postern.InvalidGrant:   {400, ui.Say("This request does not work"), ui.Say("The app sent an address that it has not registered."), backToApp},
	expiredQuestion:        {404, ui.Say("This request has expired"), ui.Say("A request like this waits for half an hour, and this one is over or never was."), restart},
	otherBrowser:           {403, ui.Say("This is not the browser that asked"), ui.Say("The request was started in another browser, or cookies are off here."), restart},
	deadLink:               {404, ui.Say("This link does not work"), ui.Say("It was used, has expired, or is not complete."), ui.Say("Ask for a new one.")},
	postern.RateLimited:    {429, ui.Say("Too many attempts"), ui.Say("There were too many attempts."), ui.Text{}},
	postern.Unavailable:    {503, ui.Say("We can’t answer right now"), ui.Say("A part of our service does not answer."), later},
	postern.ServerError:    {500, ui.Say("Something went wrong"), ui.Say("This is a fault of ours; we have written it down."), later},
}

func troubleOf(k postern.Kind) trouble {
	for _, kind := range []postern.Kind{k, k.Parent(), postern.InvalidRequest} {
		if t, ok := troubles[kind]; ok {
			return t
		}
	}
	return troubles[postern.ServerError]
}

// fail writes the page for an error, with the status of its kind.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	if e == nil {
		e = postern.Wrap(postern.ServerError, err)
	}
	d.Error(w, r, troubleOf(e.Kind).status, e)
}

// asError finds our own error in another; nil where there is none.
func asError(err error) *postern.Error {
	e, _ := errors.AsType[*postern.Error](err)
	return e
}

// Error writes the plain error page: what happened, what to do, and a name for
// the request. It is a page only, never a redirect.
func (d *Door) Error(w http.ResponseWriter, r *http.Request, status int, err *postern.Error) {
	d.headers.Set(w.Header()) // other doors' errors are pages, too
	t, id := troubleOf(err.Kind), d.RequestID(r)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	d.Log.Log(r.Context(), level, "error page", "status", status, "kind", err.Kind, "request_id", id, "error", err)
	if err.Kind == postern.RateLimited || err.Kind == postern.Unavailable {
		w.Header().Set("Retry-After", browser.RetryAfter(err.RetryAfter))
	}
	page := &ui.MessagePage{Heading: t.heading, What: ui.SayError(err), Do: t.do, RequestID: id}
	if err.Msg == "" {
		page.What = t.what
	}
	if err.Kind == postern.RateLimited {
		page.Do = ui.Say("Try again in %s.", ui.Wait(err.RetryAfter))
	}
	if err.Kind == postern.NotFound {
		page.Link, page.LinkText = "/connections", ui.Say("Your connections")
	}
	d.write(w, r, status, page)
}

// write sends a page; that the browser went away meanwhile is nobody's error.
func (d *Door) write(w http.ResponseWriter, r *http.Request, status int, page ui.Page) {
	if err := d.Pages.Write(w, r, status, page); err != nil {
		d.Log.InfoContext(r.Context(), "a page was not sent", "page", page.Name(), "error", err)
	}
}
