package web

import (
	"errors"
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
)

// tell lets the app's request log know what came of its question. A question
// that was answered before is no answer.
func (d *Door) tell(r *http.Request, q *question, granted *oauth.Granted, err error) {
	if d.Seen == nil || postern.Is(err, postern.Conflict) {
		return
	}
	s := dialect.Seen{
		Dialect: q.Dialect, Endpoint: "consent", Method: r.Method, AppID: q.app.ID, Status: http.StatusFound,
		At: d.Now(), RequestID: d.RequestID(r),
		Proved: !postern.Is(err, postern.LoginRequired), // somebody who is signed in here has answered
	}
	if granted != nil {
		s.AccountID = granted.Account.ID
	}
	if s.Refused = asError(err); err != nil && s.Refused == nil {
		s.Refused = postern.Wrap(postern.ServerError, err)
	}
	switch _, redirected := errors.AsType[*oauth.Refusal](err); {
	case err != nil && !redirected:
		s.Status = troubleOf(s.Refused.Kind).status
	case q.ViaPost:
		s.Status = http.StatusSeeOther
	}
	d.Seen(r.Context(), s)
}
