package postern

import (
	"slices"
	"time"
)

// Review is where an app, or a change of one, stands with the operator who asks
// for reviews. The zero value is an app for everybody.
type Review string

const (
	Approved Review = ""         // may be connected to real accounts
	Waiting  Review = "waiting"  // works in its partner's sandbox; the operator has not answered
	Rejected Review = "rejected" // as Waiting, and the operator said no
)

// Live reports whether the app may be connected to real accounts.
func (a *App) Live() bool { return a.Review == Approved }

// Looks are what people see of an app when they decide, and what they trust it
// with: where a review is asked for, none of it changes without one.
type Looks struct {
	Name         string   `json:"name"`
	Description  string   `json:"description,omitempty"`
	URL          string   `json:"url,omitempty"`
	LogoURL      string   `json:"logo_url,omitempty"`
	LogoHash     string   `json:"logo_hash,omitempty"` // of an image that was handed in
	RedirectURLs []string `json:"redirect_urls,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`
	// ForItself: it gets tokens without anybody's consent (client_credentials).
	ForItself bool `json:"for_itself,omitempty"`
}

// Looks are the app's own, as they are.
func (a *App) Looks() Looks {
	l := Looks{a.Name, a.Description, a.URL, a.LogoURL, "", a.RedirectURLs, a.Scopes, a.ForItself()}
	if a.LogoURL == "" {
		l.LogoHash = a.LogoHash
	}
	return l
}

// Equal reports whether people would see no difference.
func (l Looks) Equal(other Looks) bool {
	return l.Name == other.Name && l.Description == other.Description && l.URL == other.URL &&
		l.LogoURL == other.LogoURL && l.LogoHash == other.LogoHash && l.ForItself == other.ForItself &&
		slices.Equal(l.RedirectURLs, other.RedirectURLs) && slices.Equal(l.Scopes, other.Scopes)
}

// Proposal is a change of a live app's looks that the operator has not approved.
// The app stays as it is meanwhile.
type Proposal struct {
	Looks
	By     string // whose wish it is: the id of a staff member
	At     time.Time
	Review Review // Waiting, or Rejected with the reason
	Reason string

	// Picture names the image that was fetched from another LogoURL than the app's,
	// to be looked at; Problem is why there is none. Neither: it is yet to be fetched.
	Picture, Problem string
}
