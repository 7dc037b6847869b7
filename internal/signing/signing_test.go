package signing

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// RFC 6979 §A.2.5: P-256 with SHA-256, the message "sample".
func TestASignatureIsThatOfRFC6979(t *testing.T) {
	d, _ := hex.DecodeString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&steady{private: private}).SignPayload([]byte("sample"), jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	const want = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
		"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
	if strings.ToUpper(hex.EncodeToString(got)) != want {
		t.Errorf("got %X", got)
	}
}

func TestWhichKeySigns(t *testing.T) {
	now := time.Unix(1000, 0)
	key := func(n int64, id string, signs time.Duration) Key {
		return Key{Number: n, ID: id, SignsAt: now.Add(signs)}
	}
	for name, c := range map[string]struct {
		keys []Key
		want string
	}{
		"none":                       {nil, ""},
		"the only one":               {[]Key{key(1, "a", -time.Hour)}, "a"},
		"the newest":                 {[]Key{key(1, "a", -time.Hour), key(2, "b", 0)}, "b"},
		"not before its time":        {[]Key{key(1, "a", -time.Hour), key(2, "b", time.Second)}, "a"},
		"for a clock that is behind": {[]Key{key(1, "a", time.Second)}, "a"},
	} {
		if got := current(c.keys, now).ID; got != c.want {
			t.Errorf("%s: %q signs, want %q", name, got, c.want)
		}
	}
	states := States([]Key{key(1, "a", -time.Hour), key(2, "b", -time.Minute), key(3, "c", time.Minute)}, now)
	if states["a"] != Old || states["b"] != Signing || states["c"] != Next {
		t.Errorf("states are %v", states)
	}
}

func TestABrokenRandomSourceMakesNoKey(t *testing.T) {
	for _, source := range [][]byte{nil, make([]byte, 1<<10), bytes.Repeat([]byte{0xff}, 1<<10)} {
		if _, err := newPrivate(bytes.NewReader(source)); err == nil {
			t.Errorf("a key was made of %d bytes", len(source))
		}
	}
}

// keep is a store of keys in memory whose database can go away.
type keep struct {
	Store
	keys []Key
	away error
}

func (k *keep) SigningKeys(context.Context, time.Time) ([]Key, error) { return k.keys, k.away }
func (k *keep) Audience(context.Context) ([]string, error)            { return nil, k.away }
func (k *keep) AddSigningKey(_ context.Context, n Key, _ time.Time, _ bool, _ string) (bool, error) {
	k.keys = append(k.keys, n)
	return true, k.away
}

type open struct{}

func (open) Seal(_, _, _ string, plain []byte) ([]byte, error)  { return plain, nil }
func (open) Open(_, _, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

func TestTheKeySetIsServedWhileTheDatabaseIsAway(t *testing.T) {
	now := time.Unix(1000, 0)
	rows := &keep{}
	r := &Rules{Store: rows, Sealer: open{}, Now: func() time.Time { return now }, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 64)), Age: time.Hour}
	first, err := r.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, rows.away = now.Add(time.Hour), context.DeadlineExceeded
	if again, err := r.Set(t.Context()); err != nil || !bytes.Equal(again, first) {
		t.Errorf("got %s, %v", again, err)
	}
	if _, err := r.Signer(t.Context()); err == nil {
		t.Error("a key signs that may have been retired")
	}
}

// BenchmarkSign is what a signed token costs over an opaque one (docs/speed.md).
func BenchmarkSign(b *testing.B) {
	now := time.Unix(1000, 0)
	r := &Rules{Store: &keep{}, Sealer: open{}, Now: func() time.Time { return now }, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 64)), Age: time.Hour}
	payload := []byte(`{"jti":"` + strings.Repeat("x", 27) + `","iss":"` + strings.Repeat("c", 300) + `"}`)
	for b.Loop() {
		signer, err := r.Signer(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := signer.Sign(payload); err != nil {
			b.Fatal(err)
		}
	}
}
