package posterntest

import (
	"testing"
	"time"
)

func TestAPartnerKeepsWhatItIsCalledWith(t *testing.T) {
	p := NewPartner(t)
	go send(t, p.URL(""), PostJSON("/hook?a=%20b", "type", "connection.created"))
	got := p.Wait("/hook", 1, 5*time.Second)[0]
	if got.Method != "POST" || got.Query != "a=%20b" || got.Body != `{"type":"connection.created"}` {
		t.Errorf("received %+v", got)
	}
	if others := p.Received("/cb"); len(others) != 0 {
		t.Errorf("/cb received %v", others)
	}
}
