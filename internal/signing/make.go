package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"io"

	"postern.dev/postern"
)

// automatic is who acts where nobody asked.
const automatic = "postern"

// Rotate makes a new key, which signs when everybody can have read it. Where
// retireNow is set – a key may be known to others – it signs at once, and all
// earlier keys leave the key set: whoever checks signatures no longer takes what
// they signed.
func (r *Rules) Rotate(ctx context.Context, actor string, retireNow bool) (*Key, error) {
	for range 5 {
		list, err := r.List(ctx)
		if err != nil {
			return nil, err
		}
		k, won, err := r.next(ctx, list, actor, retireNow)
		if err != nil || won {
			return k, err
		}
	}
	return nil, postern.Errorf(postern.Unavailable, "Keys are being made by several callers at once. Try again.")
}

// next makes the key after the newest of this list; won is false where the list
// was not the last word, and nothing was made.
func (r *Rules) next(ctx context.Context, list []Key, actor string, retireNow bool) (k *Key, won bool, err error) {
	now, number := r.Now(), int64(1)
	signsAt := now
	if len(list) > 0 {
		number = list[len(list)-1].Number + 1
		if !retireNow {
			signsAt = now.Add(Lead)
		}
	}
	if k, err = r.make(number); err != nil {
		return nil, false, err
	}
	k.CreatedAt, k.SignsAt = now, signsAt
	end := signsAt.Add(r.TokenLife + slack)
	if won, err = r.Store.AddSigningKey(ctx, *k, end, retireNow, actor); won {
		r.last.Store(nil)
	}
	return k, won, err
}

// make is a new key pair, sealed.
func (r *Rules) make(number int64) (*Key, error) {
	private, err := newPrivate(r.Random)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	public, err := publish(private)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	k := &Key{Number: number, ID: public.KeyID}
	if k.Public, err = public.MarshalJSON(); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	plain, err := private.Bytes()
	if err == nil {
		k.Sealed, err = r.Sealer.Seal(table, k.ID, column, plain)
	}
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	return k, nil
}

// Where a private half is sealed.
const table, column = "signing_keys", "sealed"

// newPrivate takes a number below the curve's order from the random source; all
// but one in 2^32 are.
func newPrivate(random io.Reader) (*ecdsa.PrivateKey, error) {
	var b [32]byte
	for range 8 {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return nil, fmt.Errorf("random source: %w", err)
		}
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b[:]); err == nil {
			return private, nil
		}
	}
	return nil, fmt.Errorf("random source: gives no key")
}

// Tend makes the next key when the newest has signed long enough, and removes
// keys that have left the key set. An installation that never needed a key gets
// none.
func (r *Rules) Tend(ctx context.Context) (int, error) {
	list, err := r.List(ctx)
	if err != nil {
		return 0, err
	}
	now := r.Now()
	if n := len(list); n > 0 && !now.Before(list[n-1].SignsAt.Add(r.Age-Lead)) {
		if _, _, err := r.next(ctx, list, automatic, false); err != nil {
			return 0, err
		}
	}
	return r.Store.DropSigningKeys(ctx, now)
}
