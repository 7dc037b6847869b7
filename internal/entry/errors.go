package entry

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

// troubles is the one table of errors for staff.
var troubles = map[postern.Kind]trouble{
	postern.NotFound:       {404, ui.Say("Nothing here"), ui.Say("There is no page at this address, or it is not yours to see."), ui.Say("Check the address, or start at your first page.")},
	postern.Forbidden:      {403, ui.Say("This is not possible"), ui.Say("You may not do this."), ui.Say("Go back and load the page again. If you need this, ask an owner of your team.")},
	postern.Conflict:       {409, ui.Say("Somebody was faster"), ui.Say("This changed while you looked at it."), ui.Say("Go back, load the page again and look once more.")},
	postern.InvalidRequest: {400, ui.Say("This request does not work"), ui.Say("Something in the request is missing or wrong."), ui.Say("Go back and try again.")},
	postern.RateLimited:    {429, ui.Say("Too many attempts"), ui.Say("There were too many attempts."), ui.Say("Try again later.")},
	postern.Unavailable:    {503, ui.Say("We can’t answer right now"), ui.Say("A part of our service does not answer."), ui.Say("Please try again in a moment. Nothing was lost.")},
	postern.ServerError:    {500, ui.Say("Something went wrong"), ui.Say("This is a fault of ours; we have written it down."), ui.Say("Please try again in a moment.")},
}

func troubleOf(k postern.Kind) trouble {
	for _, kind := range []postern.Kind{k, k.Parent(), postern.InvalidRequest} {
		if t, ok := troubles[kind]; ok {
			return t
		}
	}
	return troubles[postern.ServerError]
}

func (e *Entry) fail(w http.ResponseWriter, r *http.Request, err error) {
	known, ok := errors.AsType[*postern.Error](err)
	if !ok {
		known = postern.Wrap(postern.ServerError, err)
	}
	e.Error(w, r, troubleOf(known.Kind).status, known)
}

// Error writes the page for an error: what happened, what to do, and a name for
// the request.
func (e *Entry) Error(w http.ResponseWriter, r *http.Request, status int, err *postern.Error) {
	t, id := troubleOf(err.Kind), e.RequestID(r)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	e.Log.Log(r.Context(), level, "error page", "status", status, "kind", err.Kind, "request_id", id, "error", err)
	if err.Kind == postern.RateLimited || err.Kind == postern.Unavailable {
		w.Header().Set("Retry-After", browser.RetryAfter(err.RetryAfter))
	}
	page := &ui.MessagePage{Heading: t.heading, What: ui.SayError(err), Do: t.do, RequestID: id, Link: e.Prefix, LinkText: ui.Say("To your first page")}
	if err.Msg == "" {
		page.What = t.what
	}
	e.write(w, r, status, page)
}

// write sends a page; that the browser went away meanwhile is nobody's error.
func (e *Entry) write(w http.ResponseWriter, r *http.Request, status int, page ui.Page) {
	if err := e.Pages.Write(w, r, status, page); err != nil {
		e.Log.InfoContext(r.Context(), "a page was not sent", "page", page.Name(), "error", err)
	}
}
