package oauth

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"postern.dev/postern"
)

// A signed access token (RFC 9068) says itself what it stands for, to whoever has
// the public key. It is kept by its hash as every token is, so that all that ends
// tokens ends it too: for those who ask, and not for those who only read it.

// LongestSigned is how long a signed token lives at most, for nobody who only
// reads it hears that it has ended.
const LongestSigned = time.Hour

// Keys are the keys that sign; *signing.Rules has them.
type Keys interface {
	// Signer is the key that signs now.
	Signer(ctx context.Context) (*postern.Signer, error)
	// SignerOf is the key that has this id; NotFound when it may sign no more.
	SignerOf(ctx context.Context, id string) (*postern.Signer, error)
}

// Signed is what signed access tokens take.
type Signed struct {
	Keys Keys
	// Issuer is what a dialect's metadata says it is (RFC 8414 §2).
	Issuer func(dialect string) string
}

// bearing is what a token stands for, as a signed one says it.
type bearing struct{ account, user, connection string }

func bearingOf(t *postern.Token) bearing {
	return bearing{t.Account.ID, t.Connection.UserID, t.Connection.ID}
}

// bearingFor is what a code's token stands for; its connection shows later.
func bearingFor(c *postern.Code) bearing {
	s := bearing{account: c.Account.ID}
	if c.Level == postern.UserLevel {
		s.user = c.User.ID
	}
	return s
}

// subject is introspection's sub: the user, else the account, else the app.
func (s bearing) subject(app string) string {
	switch {
	case s.user != "":
		return s.user
	case s.account != "":
		return s.account
	}
	return app
}

// signs: the app wants its tokens signed, and this wire can carry them.
func (m *minting) signs() bool {
	return m.r.Signed != nil && m.terms.Access.Signed && m.app.AccessTokenFormat == postern.JWT
}

// opaque are the terms with tokens that are not signed.
func (t *Terms) opaque() *Terms {
	o := *t
	o.Access.Signed = false
	return &o
}

func signedLife(life time.Duration) time.Duration {
	if life == 0 || life > LongestSigned {
		return LongestSigned
	}
	return life
}

// statement is what a token says, in this order (RFC 9068 §2.2), all but its jti.
type statement struct {
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`
	Audience   any    `json:"aud"` // one text, or several (RFC 7519 §4.1.3)
	Client     string `json:"client_id"`
	Issued     int64  `json:"iat"`
	Expires    int64  `json:"exp"`
	Scope      string `json:"scope,omitempty"`
	Account    string `json:"account_id,omitempty"`
	User       string `json:"user_id,omitempty"`
	Connection string `json:"connection_id,omitempty"`
}

// tokenID is the form of a jti: as hard to guess as a token.
var tokenID = postern.Form{Alphabet: postern.Base62, Length: 27}

// draft is a token that is not signed yet.
type draft struct {
	signer *postern.Signer
	jti    postern.Secret
	says   statement
	row    NewToken
}

func (m *minting) draft(ctx context.Context, random io.Reader, scopes []string) (*draft, error) {
	signer, err := m.r.Signed.Keys.Signer(ctx)
	if err != nil {
		return nil, err
	}
	d := &draft{signer: signer}
	if d.jti, err = tokenID.Mint(random); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	d.row = NewToken{AppID: m.app.ID, Dialect: m.terms.Dialect, Scopes: scopes, IssuedAt: m.now, ExpiresAt: m.accessEnds()}
	issued := m.now.Unix()
	d.says = statement{
		Issuer: m.r.Signed.Issuer(m.terms.Dialect), Subject: m.stands.subject(m.app.ID), Client: m.app.ID,
		Issued: issued, Expires: issued + int64(d.row.ExpiresAt.Sub(m.now)/time.Second), Scope: strings.Join(scopes, " "),
		Account: m.stands.account, User: m.stands.user, Connection: m.stands.connection,
	}
	switch len(signer.Audience) {
	case 0: // no API is registered: whoever trusts the issuer (RFC 9068 §3)
		d.says.Audience = d.says.Issuer
	case 1:
		d.says.Audience = signer.Audience[0]
	default:
		d.says.Audience = signer.Audience
	}
	return d, nil
}

func (d *draft) sign() (minted, error) {
	said, err := json.Marshal(&d.says)
	if err != nil {
		return minted{}, postern.Wrap(postern.ServerError, err)
	}
	secret, err := signSaid(d.signer, d.jti, string(said))
	if err != nil {
		return minted{}, err
	}
	d.row.Hash = secret.Hash()
	return minted{secret: secret, row: d.row, said: d.signer.Key + " " + string(said)}, nil
}

// signLater signs when the connection is known. It may be asked more than once:
// the last answer holds.
func (d *draft) signLater(issued *Issued) func(string) (postern.Hash, error) {
	return func(connection string) (postern.Hash, error) {
		d.says.Connection = connection
		signed, err := d.sign()
		issued.AccessToken = signed.secret
		return signed.row.Hash, err
	}
}

// signSaid puts the jti before what is said, and signs both.
func signSaid(signer *postern.Signer, jti postern.Secret, said string) (postern.Secret, error) {
	return signer.Sign([]byte(`{"jti":"` + string(jti) + `",` + strings.TrimPrefix(said, "{")))
}

// againSigned gives a signed answer again, byte for byte. What it said was kept
// beside the salt; its jti comes of the presented token, and its signature of both,
// so the rows alone make no token. Where its key may sign no more there is another
// answer, as for one that was lost.
func (f *refreshing) againSigned(ctx context.Context) (*Issued, error) {
	key, said, _ := strings.Cut(f.token.Said, " ")
	var first statement
	if err := json.Unmarshal([]byte(said), &first); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	if f.r.Signed == nil {
		return f.replace(ctx)
	}
	signer, err := f.r.Signed.Keys.SignerOf(ctx, key)
	if postern.Is(err, postern.NotFound) {
		return f.replace(ctx)
	}
	if err != nil {
		return nil, err
	}
	source, err := derived(f.q.RefreshToken, f.token.Salt, "access")
	if err != nil {
		return nil, err
	}
	jti, err := tokenID.Mint(source)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	access := minted{row: NewToken{ExpiresAt: f.token.RotatedAt.Add(time.Duration(first.Expires-first.Issued) * time.Second)}}
	if access.secret, err = signSaid(signer, jti, said); err != nil {
		return nil, err
	}
	f.now, f.scopes = f.token.RotatedAt, strings.Fields(first.Scope)
	successor, err := f.successor(f.token.Salt)
	if err != nil {
		return nil, err
	}
	return f.answer(access, successor), nil
}
