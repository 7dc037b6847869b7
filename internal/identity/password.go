package identity

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"postern.dev/postern"
)

const (
	shortestPassword = 8    // characters
	longestPassword  = 1024 // bytes: more would only be work for the processor
)

// HashPassword makes the hash to store of a new password: argon2id with 19 MiB,
// two passes, one lane. A password that is too short or too long is an
// InvalidRequest whose message says so.
func (r *Rules) HashPassword(password postern.Secret) (string, error) {
	return r.hashNew(context.Background(), password)
}

// hashChosen is HashPassword for one that its person chose: also one that anybody
// would guess is refused.
func (r *Rules) hashChosen(ctx context.Context, password postern.Secret, email string) (string, error) {
	if checkNew(password) == nil && guessable(string(password), email) {
		return "", postern.Errorf(postern.InvalidRequest, "That password is one of the first that anybody would try: choose another, such as four words that do not belong together.")
	}
	return r.hashNew(ctx, password)
}

func (r *Rules) hashNew(ctx context.Context, password postern.Secret) (string, error) {
	if err := checkNew(password); err != nil {
		return "", err
	}
	leave, err := r.sit(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return r.makeHash(password)
}

// makeHash hashes without a look at the length: an old password that was proved
// keeps its right, however short it is. Call it from a seat at the desk.
func (r *Rules) makeHash(password postern.Secret) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(r.Random, salt); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return newArgonHash(normal(string(password)), salt).String(), nil
}

// normal is the form in which passwords are hashed: keyboards differ in how they
// compose characters (RFC 8265 §4.2.1).
func normal(password string) []byte { return norm.NFC.Bytes([]byte(password)) }

// checkNew says what is wrong with a new password, if anything is.
func checkNew(password postern.Secret) error {
	switch {
	case len(password) > longestPassword:
		return postern.Errorf(postern.InvalidRequest, "That password is too long: choose one of at most %d bytes.", longestPassword)
	case strings.ContainsRune(string(password), 0):
		return postern.Errorf(postern.InvalidRequest, "That password holds a NUL character: choose one without.")
	case utf8.RuneCount(normal(string(password))) < shortestPassword:
		return postern.Errorf(postern.InvalidRequest, "That password is too short: choose one of at least %d characters.", shortestPassword)
	}
	return nil
}

// CheckHash says whether an imported hash can be used: argon2id or bcrypt, and
// not so dear that each sign-in would be an attack. If not, it is an
// InvalidRequest whose message says why.
func (r *Rules) CheckHash(hash string) error {
	if _, err := readHash(hash); err != nil {
		return postern.Errorf(postern.InvalidRequest, "The password hash cannot be used: %s.", err)
	}
	return nil
}

// VerifyPassword compares a password with a stored hash. Upgrade tells that the
// password is right and the hash weaker than those we make. An error means that
// the hash cannot be used.
func (r *Rules) VerifyPassword(hash string, password postern.Secret) (ok, upgrade bool, err error) {
	leave, err := r.sit(context.Background())
	if err != nil {
		return false, false, err
	}
	defer leave()
	return verify(hash, password)
}

// verify is VerifyPassword for who has a seat at the desk.
func verify(hash string, password postern.Secret) (ok, upgrade bool, err error) {
	h, err := readHash(hash)
	if err != nil {
		return false, false, postern.Wrap(postern.ServerError, fmt.Errorf("stored password hash: %w", err))
	}
	if isNever(password) {
		return false, false, nil
	}
	typed := []byte(password)
	composed := normal(string(password))
	if h.matches(composed) {
		return true, h.weak(), nil
	}
	// An imported hash may have been made of the characters as they were typed.
	if string(composed) != string(typed) && h.matches(typed) {
		return true, true, nil
	}
	return false, false, nil
}
