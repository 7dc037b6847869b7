package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"postern.dev/postern"
)

// Server is an SMTP server that takes mails from us, and the name that they are
// sent under. It prints without its password.
type Server struct {
	Host     string
	Port     int
	User     string
	Password postern.Secret
	// TLS is how the connection is protected.
	TLS Protection
	// From is who mails are from: an address, with a name or without.
	From netmail.Address
	// Roots are the authorities that the server's certificate may come from; nil:
	// the system's.
	Roots *x509.CertPool
}

// Protection is how a connection to a mail server is protected.
type Protection string

const (
	Implicit Protection = "tls"      // from the first byte (RFC 8314 §3.3)
	StartTLS Protection = "starttls" // RFC 3207; never without
	Plain    Protection = "none"     // loopback, or the operator insists
)

// LogValue leaves out the password.
func (s *Server) LogValue() slog.Value {
	return slog.StringValue(net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) + " (" + string(s.TLS) + ")")
}

// ParseServer reads smtp://USER:PASSWORD@HOST:PORT or smtps://…. The errors
// never repeat the text, which holds a password. smtp is STARTTLS and refuses to
// go on without; on loopback, and where plain allows it, it is without TLS.
func ParseServer(text postern.Secret, plain bool) (*Server, error) {
	const help = "write smtp://USER:PASSWORD@HOST:587, or smtps://… for TLS from the start"
	u, err := url.Parse(string(text))
	switch {
	case err != nil:
		return nil, errors.New("this is not a URL (are special characters of the password written as %xx?); " + help)
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return nil, errors.New("this begins with neither smtp:// nor smtps://; " + help)
	case u.Hostname() == "":
		return nil, errors.New("this names no host; " + help)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("after the host there may only be a port; " + help)
	}
	s := &Server{Host: u.Hostname(), Port: 587, TLS: StartTLS, User: u.User.Username()}
	password, _ := u.User.Password()
	s.Password = postern.Secret(password)
	switch {
	case (s.User == "") != (password == ""):
		return nil, errors.New("a user needs a password, and a password a user; " + help)
	case u.Scheme == "smtps":
		s.Port, s.TLS = 465, Implicit
	case plain || loopback(s.Host):
		s.TLS = Plain
	}
	if u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port < 1 || s.Port > 65535 {
			return nil, errors.New("the port must be a number up to 65535; " + help)
		}
	}
	return s, nil
}

// ParseFrom reads whom mails are from: Acme <no-reply@acme.com>.
func ParseFrom(text string) (netmail.Address, error) {
	at, err := netmail.ParseAddress(text)
	if err != nil || hidden(text, "") {
		return netmail.Address{}, errors.New(`this is not an address; write it as in "Acme <no-reply@acme.com>"`)
	}
	return *at, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// stepTime bounds each step of the talk with the server; there are at most four
// of them before takenFor is over.
const stepTime = 20 * time.Second

func (s *Server) client() (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(stepTime), mail.WithoutNoop(), mail.WithHELO(s.helo()),
		mail.WithTLSConfig(&tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}),
	}
	auth := mail.SMTPAuthAutoDiscover
	switch s.TLS {
	case Implicit:
		options = append(options, mail.WithSSL())
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		auth = mail.SMTPAuthPlainNoEnc // the library takes none of its own accord that shows the password
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(s.User), mail.WithPassword(string(s.Password)))
	}
	return mail.NewClient(s.Host, options...)
}

// helo is the name that we greet with: that of the sender's domain. A machine's
// own name is nobody's business, and often no name that servers accept.
func (s *Server) helo() string {
	return s.From.Address[strings.LastIndexByte(s.From.Address, '@')+1:]
}

// compose writes the mail. Its Message-ID is the row's: where it is sent twice, a
// reader's program may know it.
func (s *Server) compose(kept *postern.SealedMail, m *Message) (*mail.Msg, error) {
	out := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithNoDefaultUserAgent())
	out.FromMailAddress(&s.From)
	if err := out.To(m.To); err != nil {
		return nil, errors.New("the recipient's address is refused")
	}
	out.Subject(m.Subject)
	out.SetDateWithValue(kept.At)
	out.SetMessageIDWithValue(kept.ID + "@" + s.helo())
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no vacation answers
	out.SetBodyString(mail.TypeTextPlain, m.Text)
	return out, nil
}

// send hands a mail to the server, and says why it could not, in words that name
// nobody: a server's own words often repeat the recipient.
func (s *Server) send(ctx context.Context, kept *postern.SealedMail, m *Message) (failure string) {
	out, err := s.compose(kept, m)
	if err != nil {
		return err.Error()
	}
	client, err := s.client()
	if err != nil {
		return err.Error()
	}
	err = client.DialAndSendWithContext(ctx, out)
	if err == nil || out.IsDelivered() { // a farewell that failed changes nothing
		return ""
	}
	if refused, ok := errors.AsType[*mail.SendError](err); ok {
		return fmt.Sprintf("the mail server refused it: %s, status %d %s", refused.Reason, refused.ErrorCode(), refused.EnhancedStatusCode())
	}
	return "the mail server: " + err.Error()
}
