package portal_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// slowUpload is a large form on its way: its head was sent.
type slowUpload struct {
	t    *testing.T
	conn net.Conn
	said *bufio.Reader
}

const slowSize = 100 << 10

func begins(t *testing.T, s *posterntest.Postern, b *posterntest.Browser, media string) slowUpload {
	t.Helper()
	conn, err := net.Dial("tcp", s.URL[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var cookies []string
	for _, one := range b.Cookies() {
		cookies = append(cookies, one.Name+"="+one.Value)
	}
	fmt.Fprintf(conn, "POST /portal/apps/%s/logo HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		posterntest.Standard.ID, strings.Join(cookies, "; "), media, slowSize)
	return slowUpload{t, conn, bufio.NewReader(conn)}
}

// hears is the next answer: 100 when somebody begins to read.
func (u slowUpload) hears() *http.Response {
	u.t.Helper()
	said, err := http.ReadResponse(u.said, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return said
}

// ends sends what there is to send.
func (u slowUpload) ends() *http.Response {
	u.t.Helper()
	io.WriteString(u.conn, strings.Repeat("x", slowSize))
	return u.hears()
}

// What a stranger sends is as nothing: not even looked at, were it large.
func TestI71ALargeFormOfAStrangerIsNotKept(t *testing.T) {
	s := posterntest.New(t)
	u := begins(t, s, s.Browser(), "multipart/form-data; boundary=b")
	u.hears()
	if said := u.ends(); said.StatusCode != 303 || !strings.HasPrefix(said.Header.Get("Location"), "/portal/login?to=") {
		t.Errorf("a form that is none: %d to %q", said.StatusCode, said.Header.Get("Location"))
	}
}

// Each large form takes its length of memory, so few are read at once.
func TestI71FewLargeFormsAreReadAtOnce(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	begin := func() (slowUpload, *http.Response) {
		u := begins(t, s, b, "application/x-www-form-urlencoded")
		return u, u.hears()
	}
	var read []slowUpload
	for range 32 {
		u, said := begin()
		if read = append(read, u); said.StatusCode != 100 {
			t.Fatalf("with %d on their way: %d", len(read)-1, said.StatusCode)
		}
	}
	if _, said := begin(); said.StatusCode != 503 || said.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %v", said.StatusCode, said.Header)
	}
	for _, u := range read {
		if said := u.ends(); said.StatusCode != 403 { // the form has no token
			t.Fatalf("one that was on its way: %d", said.StatusCode)
		}
	}
	if _, said := begin(); said.StatusCode != 100 {
		t.Errorf("then one more: %d", said.StatusCode)
	}
}
