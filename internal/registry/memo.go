package registry

import "postern.dev/postern"

// memo remembers the slow work with passwords between the two plans of an
// apply, so that none of it happens in the transaction.
type memo struct {
	rules   *Rules
	hashes  map[ofSecret]string
	matches map[ofSecret]bool
}

// ofSecret is a question about a password: whose hash, or which one.
type ofSecret struct {
	what   string
	secret postern.Secret
}

// hash makes the hash of somebody's password, once.
func (m *memo) hash(whose string, secret postern.Secret) (string, error) {
	key := ofSecret{whose, secret}
	if hash, known := m.hashes[key]; known {
		return hash, nil
	}
	hash, err := m.rules.Passwords.HashPassword(secret)
	if err == nil {
		m.hashes[key] = hash
	}
	return hash, err
}

// made reports whether the hash was made of this password. One that cannot be
// used was made of none.
func (m *memo) made(hash string, secret postern.Secret) bool {
	if hash == "" {
		return false
	}
	key := ofSecret{hash, secret}
	known, asked := m.matches[key]
	if !asked {
		ok, _, err := m.rules.Passwords.VerifyPassword(hash, secret)
		known = ok && err == nil
		m.matches[key] = known
	}
	return known
}
