package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"postern.dev/postern"
)

var place = Place{"apps", "app_1", "webhook_secret"}

func sealed(t *testing.T, v *Vault, text string) []byte {
	t.Helper()
	b, err := v.Seal([]byte(text), place)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASealedValueOpensInItsPlaceOnly(t *testing.T) {
	v := New(Key{1}, rand.Reader)
	b := sealed(t, v, "whsec_x")
	if got, err := v.Open(b, place); err != nil || string(got) != "whsec_x" {
		t.Errorf("opened %q, %v", got, err)
	}
	for _, other := range []Place{{"apps", "app_2", "webhook_secret"}, {"apps", "app_1", "name"}, {"app", "sapp_1", "webhook_secret"}} {
		if got, err := v.Open(b, other); err == nil {
			t.Errorf("opened %q at %v", got, other)
		}
	}
	if bytes.Contains(b, []byte("whsec_x")) || bytes.Equal(b, sealed(t, v, "whsec_x")) {
		t.Error("the value shows, or sealing twice gives the same bytes")
	}
}

func TestNoByteOfASealedValueCanBeChanged(t *testing.T) {
	v := New(Key{1}, rand.Reader)
	b := sealed(t, v, "whsec_x")
	for i := range b {
		b[i] ^= 1
		if _, err := v.Open(b, place); err == nil {
			t.Errorf("byte %d was changed and it still opens", i)
		}
		b[i] ^= 1
		if _, err := v.Open(b[:i], place); err == nil {
			t.Errorf("cut to %d bytes and it still opens", i)
		}
	}
}

func TestAnOlderKeyStillOpens(t *testing.T) {
	b := sealed(t, New(Key{1}, rand.Reader), "x")
	if got, err := New(Key{2}, rand.Reader, Key{1}).Open(b, place); err != nil || string(got) != "x" {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := New(Key{2}, rand.Reader).Open(b, place); !errors.Is(err, ErrWrongKey) {
		t.Errorf("without the old key: %v", err)
	}
}

func TestWithoutRandomnessNothingIsSealed(t *testing.T) {
	if b, err := New(Key{1}, strings.NewReader("short")).Seal([]byte("x"), place); err == nil || b != nil {
		t.Errorf("sealed %x, %v", b, err)
	}
}

func TestKeysAreReadStrictly(t *testing.T) {
	var all [32]byte
	for i := range all {
		all[i] = 0xfb // gives + and / in base64
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if k, err := ParseKey(e.EncodeToString(all[:]) + "\n"); err != nil || k != Key(all) {
			t.Errorf("not read: %v", err)
		}
	}
	for _, bad := range []string{"", "x", e64(31), e64(33), e64(32)[:20] + " " + e64(32)[20:]} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("read %q as a key", bad)
		} else if bad != "" && bad != "x" && strings.Contains(err.Error(), bad) {
			t.Errorf("the message repeats the key: %v", err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %s", Key(all), Key(all), Key(all), Key(all)); strings.Contains(s, "251") || strings.Contains(s, "fb") {
		t.Errorf("a key prints as %s", s)
	}
}

func e64(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }

func TestAKeyFileIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "postern.db.key")
	keys := make([]Key, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = MakeKeyFile(path, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatal("two makers got two keys")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if k, err := ReadKeyFile(path); err != nil || k != keys[0] {
		t.Errorf("read back: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// rows is the installation's table for tests of the vault alone.
type rows map[string][]byte

func (r rows) Installation(_ context.Context, name string) ([]byte, error) {
	if v, ok := r[name]; ok {
		return v, nil
	}
	return nil, postern.Errorf(postern.NotFound, "no %s", name)
}

func (r rows) KeepInstallation(ctx context.Context, name string, value []byte) ([]byte, error) {
	if _, ok := r[name]; !ok {
		r[name] = value
	}
	return r.Installation(ctx, name)
}

func TestAnotherKeyIsRefused(t *testing.T) {
	ctx, db := t.Context(), rows{}
	if used, err := Used(ctx, db); used || err != nil {
		t.Fatalf("an empty database: used %v, %v", used, err)
	}
	first := New(Key{1}, rand.Reader)
	for range 2 {
		if err := first.Prove(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
	kept := bytes.Clone(db[canary])
	if err := New(Key{2}, io.LimitReader(rand.Reader, 1<<10)).Prove(ctx, db); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	if used, _ := Used(ctx, db); !used || !bytes.Equal(kept, db[canary]) {
		t.Error("the proof was overwritten")
	}
}
