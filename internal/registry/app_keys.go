package registry

import (
	"context"
	"regexp"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/jwks"
)

// NewSecret is a wish for another client secret.
type NewSecret struct {
	// ID is what SecretID made when the form was written: a form that is sent twice
	// makes one secret.
	ID   string
	Name string
	// Overlap is how long the secrets that the app has stay valid beside it;
	// KeepOld: as long as they are.
	Overlap time.Duration
}

const (
	// KeepOld leaves older secrets valid.
	KeepOld time.Duration = -1
	// longestOverlap is how long a secret that is to end may still be used.
	longestOverlap = 30 * 24 * time.Hour
	// endedShown is how long a secret that has ended is told of, by its last
	// characters, and mostEnded how many are.
	endedShown = 30 * 24 * time.Hour
	mostEnded  = 8

	secretPrefix = "sec_"
)

// secretIDs are those that SecretID makes. Whoever fills a form in by hand may send
// another text.
var secretIDs = regexp.MustCompile(`^` + secretPrefix + `[0-9A-Za-z]{1,32}$`)

// SecretID names a secret that a form may make.
func (r *Rules) SecretID() (string, error) {
	id, err := postern.NewID(r.Random, secretPrefix)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	return id, nil
}

// AddSecret makes another client secret, told here and never again. At most two
// are valid at a time. A form that was sent before is a Conflict.
func (r *Rules) AddSecret(ctx context.Context, by By, appID string, n NewSecret) (postern.Secret, error) {
	if problem := aboutName(n.Name); problem != "" {
		return "", Findings{{Field: "name", Words: "This %s.", Args: []any{Said(problem)}}}
	}
	if n.Overlap < KeepOld || n.Overlap > longestOverlap || !secretIDs.MatchString(n.ID) {
		return "", postern.Errorf(postern.InvalidRequest, "Choose one of the times.")
	}
	secret, err := postern.ClientSecretForm.Mint(r.Random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	now := r.Now()
	err = r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		if err := mayAdd(old, n, now); err != nil {
			return nil, err
		}
		next := *old
		next.Secrets = rotated(old.Secrets, n.Overlap, now)
		made := postern.AppSecret{ID: n.ID, Name: n.Name, Hash: secret.Hash(), Hint: hint(string(secret)), CreatedAt: now}
		if r.signsWithSecret(old) {
			sealed, err := r.Sealer.Seal("app_secrets", made.ID, "sealed", []byte(secret))
			if err != nil {
				return nil, postern.Wrap(postern.ServerError, err)
			}
			made.Sealed = sealed
		}
		next.Secrets = append(next.Secrets, made)
		return &Writes{
			Apps:  []Put[App]{{Row: next}},
			Audit: []Audit{{"app.secret_made", "app:" + appID, n.Name + " (…" + made.Hint + ")"}},
		}, nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

func mayAdd(a *App, n NewSecret, now time.Time) error {
	valid := 0
	for _, s := range a.Secrets {
		if s.ID == n.ID {
			return postern.Errorf(postern.Conflict, "This form was sent before: the secret was made then, and shown once.")
		}
		if s.ValidAt(now) {
			valid++
		}
	}
	switch {
	case a.Public:
		return postern.Errorf(postern.Conflict, "A public app has no secret.")
	case valid >= MostSecrets:
		return postern.Errorf(postern.Conflict, "The app has %d valid secrets, which is as many as there can be at a time. End one of them first.", valid)
	}
	return nil
}

// rotated are the secrets that there are, ending with the overlap, without
// those that ended long ago or before many others.
func rotated(secrets []postern.AppSecret, overlap time.Duration, now time.Time) (list []postern.AppSecret) {
	ended := 0
	for _, s := range secrets {
		if !s.ValidAt(now) {
			ended++
		}
	}
	for _, s := range secrets {
		if !s.ValidAt(now) {
			if ended--; ended >= mostEnded || s.ExpiresAt.Add(endedShown).Before(now) {
				continue
			}
		}
		if end := now.Add(overlap); overlap != KeepOld && s.ValidAt(now) && (s.ExpiresAt.IsZero() || end.Before(s.ExpiresAt)) {
			s.ExpiresAt = end.Truncate(time.Millisecond)
		}
		list = append(list, s)
	}
	return list
}

// signsWithSecret: a wire of the app's needs the secret itself.
func (r *Rules) signsWithSecret(a *App) bool {
	return slices.ContainsFunc(append([]string{a.Dialect}, a.Also...), func(name string) bool {
		return r.Dialects[name].RecoverableSecrets
	})
}

// EndSecret ends a client secret at once.
func (r *Rules) EndSecret(ctx context.Context, by By, appID, secretID string) error {
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		at := slices.IndexFunc(old.Secrets, func(s postern.AppSecret) bool { return s.ID == secretID })
		if at < 0 {
			return nil, postern.Errorf(postern.NotFound, "The app has no such secret (any more).")
		}
		next, gone := *old, old.Secrets[at]
		next.Secrets = slices.Delete(slices.Clone(old.Secrets), at, at+1)
		return &Writes{
			Apps:  []Put[App]{{Row: next}},
			Audit: []Audit{{"app.secret_ended", "app:" + appID, gone.Name + " (…" + gone.Hint + ")"}},
		}, nil
	})
}

// TakesKeys reports whether an app can prove itself by what it signs
// (private_key_jwt): it has something to keep, and a wire with a place for it.
func (r *Rules) TakesKeys(a *App) bool {
	return !a.Public && slices.ContainsFunc(append([]string{a.Dialect}, a.Also...), func(name string) bool {
		return r.Dialects[name].Assertions
	})
}

// PublicKey is one of the keys by which an app proves itself.
type PublicKey = jwks.Key

// PublicKeys are an app's own.
func PublicKeys(a *App) ([]PublicKey, error) {
	if a.JWKS == "" {
		return nil, nil
	}
	set, problems := jwks.Read([]byte(a.JWKS))
	if problems != nil {
		return nil, postern.Wrap(postern.ServerError, problems[0])
	}
	return set.Keys(), nil
}

// SetKeys registers an app's public keys, a JSON Web Key Set, in place of those
// that it had; an empty text takes them away. What is wrong with them are
// Findings about "jwks".
func (r *Rules) SetKeys(ctx context.Context, by By, appID, text string) error {
	kept, did := "", Audit{"app.keys_removed", "app:" + appID, ""}
	if text != "" {
		set, problems := readKeySet([]byte(text))
		if problems != nil {
			return aboutKeySet(problems)
		}
		kept, did.Action = set, "app.keys_registered"
	}
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		switch {
		case kept == old.JWKS:
			return &Writes{}, nil
		case kept != "" && !r.TakesKeys(old):
			return nil, postern.Errorf(postern.Conflict, "This app proves itself in another way: it is public, or its dialect has no place for what a key signs.")
		}
		next := *old
		next.JWKS = kept
		return &Writes{Apps: []Put[App]{{Row: next}}, Audit: []Audit{did}}, nil
	})
}

// aboutKeySet says beside the field what is wrong with a set that was pasted.
func aboutKeySet(problems []jwks.Problem) Findings {
	var found Findings
	for _, p := range problems {
		switch {
		case p.Key < 0 && p.Member == "":
			found.refuse("jwks", "This is no key set. Paste it as JSON: it begins with %s and has at least one public key.", `{"keys": [{"kty":`)
		case p.Key < 0:
			found.refuse("jwks", "This %s.", Said(p.Msg))
		case p.Member == "":
			found.refuse("jwks", "Key %d %s.", p.Key+1, Said(p.Msg))
		default:
			found.refuse("jwks", "Key %d: its member %s %s.", p.Key+1, p.Member, Said(p.Msg))
		}
	}
	return found
}
