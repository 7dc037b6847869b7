package identity

import (
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"postern.dev/postern"
)

func rules() *Rules { return &Rules{Random: rand.Reader} }

func TestST05_APasswordIsNeitherShortNorHugeNorCut(t *testing.T) {
	r := rules()
	for _, password := range []string{"", "a", "1234567", "ééééééé", strings.Repeat("x", 1025), strings.Repeat("x", 1<<20), "eight\x00nul"} {
		if _, err := r.HashPassword(postern.Secret(password)); postern.KindOf(err) != postern.InvalidRequest {
			t.Errorf("a password of %d bytes: %v", len(password), err)
		}
	}
	for _, length := range []int{8, 72, 73, 1000, 1024} {
		password := strings.Repeat("x", length)
		hash, err := r.HashPassword(postern.Secret(password))
		if err != nil {
			t.Fatalf("%d bytes: %v", length, err)
		}
		if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Fatalf("made %q", hash)
		}
		for other, want := range map[string]bool{password: true, password[:length-1]: false, password + "x": false} {
			if ok, upgrade, err := r.VerifyPassword(hash, postern.Secret(other)); ok != want || upgrade || err != nil {
				t.Errorf("of %d bytes, %d typed: %v, %v, %v", length, len(other), ok, upgrade, err)
			}
		}
	}
}

func TestST05_WhatCouldNotBeSetIsNotHashedAtSignInEither(t *testing.T) {
	for _, typed := range []string{strings.Repeat("x", 1025), "eight\x00nul"} {
		h := &argonHash{memory: 8, passes: 1, lanes: 1, salt: []byte("somesalt")}
		h.key = h.derive([]byte(typed), 32)
		if ok, _, err := rules().VerifyPassword(h.String(), postern.Secret(typed)); ok || err != nil {
			t.Errorf("%d bytes: %v, %v", len(typed), ok, err)
		}
	}
}

func TestST05_ComposedAndDecomposedFormsAreOnePassword(t *testing.T) {
	r := rules()
	composed, decomposed := postern.Secret("contrase\u00f1a"), postern.Secret("contrasen\u0303a")
	for _, made := range []postern.Secret{composed, decomposed} {
		hash, err := r.HashPassword(made)
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []postern.Secret{composed, decomposed} {
			if ok, _, err := r.VerifyPassword(hash, typed); !ok || err != nil {
				t.Errorf("made of %q, typed %q: %v %v", string(made), string(typed), ok, err)
			}
		}
	}
}

func TestTwoHashesOfOnePasswordDiffer(t *testing.T) {
	a, err1 := rules().HashPassword("one password")
	b, err2 := rules().HashPassword("one password")
	if a == b || err1 != nil || err2 != nil {
		t.Fatalf("%q, %q", a, b)
	}
}

func bcryptOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestImportedHashesAreVerifiedAndAskForAnUpgrade(t *testing.T) {
	weak := &argonHash{memory: 64, passes: 1, lanes: 2, salt: []byte("somesalt")}
	weak.key = weak.derive([]byte("secret pass"), 16)
	strong := &argonHash{memory: 32 << 10, passes: 3, lanes: 2, salt: []byte("some other salt")}
	strong.key = strong.derive([]byte("secret pass"), 24)
	b := bcryptOf(t, "secret pass")

	for hash, upgrade := range map[string]bool{
		weak.String(): true, strong.String(): false,
		b: true, "$2b$" + b[4:]: true, "$2y$" + b[4:]: true,
		// A hash that another program made (the argon2 reference, RFC 9106's own tool).
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": false,
	} {
		password := postern.Secret("secret pass")
		if strings.Contains(hash, "c29tZXNhbHQ$CTFh") {
			password = "password"
		}
		ok, up, err := rules().VerifyPassword(hash, password)
		if !ok || up != upgrade || err != nil {
			t.Errorf("%s: %v, %v, %v", hash, ok, up, err)
		}
		if ok, up, err = rules().VerifyPassword(hash, "secret pasS"); ok || up || err != nil {
			t.Errorf("%s with a wrong password: %v, %v, %v", hash, ok, up, err)
		}
		if err := rules().CheckHash(hash); err != nil {
			t.Error(err)
		}
	}
}

func TestAnImportedHashOfDecomposedCharactersStaysGood(t *testing.T) {
	typed := "contrasen\u0303a"
	ok, upgrade, err := rules().VerifyPassword(bcryptOf(t, typed), postern.Secret(typed))
	if !ok || !upgrade || err != nil {
		t.Fatal(ok, upgrade, err)
	}
}

func TestST05_BcryptCutsNoPasswordShort(t *testing.T) {
	long := strings.Repeat("x", 72)
	hash := bcryptOf(t, long)
	for typed, want := range map[string]bool{long: true, long + "y": false, long + "x": false} {
		if ok, _, err := rules().VerifyPassword(hash, postern.Secret(typed)); ok != want || err != nil {
			t.Errorf("%d bytes typed: %v, %v", len(typed), ok, err)
		}
	}
}

var unusable = []string{
	"", "x", "plain text", "$1$abc$def", "$2x$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=0$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=257$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=1x$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=4294967295,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=1$c29t$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$",
	"$2a$15$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "$2a$04$short", "$2a$99$", "$2a$0x$",
	"$2a$04$aaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "$2a$04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}

func TestAHashThatIsBrokenOrTooDearIsRefusedInWords(t *testing.T) {
	for _, hash := range unusable {
		err := rules().CheckHash(hash)
		if postern.KindOf(err) != postern.InvalidRequest {
			t.Errorf("%q: %v", hash, err)
		}
		if ok, upgrade, err := rules().VerifyPassword(hash, "whatever"); ok || upgrade || err == nil {
			t.Errorf("%q: %v, %v, %v", hash, ok, upgrade, err)
		}
	}
}

func FuzzReadHash(f *testing.F) {
	for _, hash := range unusable {
		f.Add(hash)
	}
	f.Add(nobodysHash)
	f.Add("$2a$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := readHash(text)
		if err != nil {
			return
		}
		if a, isArgon := h.(*argonHash); isArgon {
			if a.String() != text {
				t.Errorf("%q was read as %q", text, a)
			}
			if a.memory > 1<<12 || a.passes > 4 {
				return // affordable once, not a thousand times
			}
		} else if text[4:6] > "05" {
			return
		}
		h.matches([]byte("a password")) // must not panic
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("a password")
	f.Add("\x00")
	f.Add("\xff\xfe\u0301")
	f.Add(strings.Repeat("\ufdfa", 400))
	cheap := &argonHash{memory: 8, passes: 1, lanes: 1, salt: []byte("somesalt"), key: make([]byte, 32)}
	f.Fuzz(func(t *testing.T, password string) {
		if ok, _, err := verify(cheap.String(), postern.Secret(password)); ok || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
		if checkNew(postern.Secret(password)) != nil {
			return
		}
		own := *cheap
		own.key = own.derive(normal(password), 32)
		if ok, _, err := verify(own.String(), postern.Secret(password)); !ok || err != nil {
			t.Errorf("%q is allowed as a password and does not match itself: %v", password, err)
		}
	})
}
