package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern.dev/postern"
)

// OperatorRights are what an operator's token can be allowed, each an area of
// /api/v1 and what may be done there. A right to write is none to read.
var OperatorRights = []string{
	"accounts.read", "accounts.write", // accounts and their users
	"partners.read", "partners.write", // partners and their members
	"apps.read", "apps.write", // apps, their secrets and addresses
	"connections.read", "connections.write", // connections; write: end them
	"events.publish",                  // the product's own events
	"webhooks.read", "webhooks.write", // deliveries; write: replay them
	"audit.read",
}

// CreateOperatorToken makes a token for the operator's API. It is told here and
// never again. A right that does not exist is an InvalidRequest.
func (r *Rules) CreateOperatorToken(ctx context.Context, name string, rights []string) (postern.Secret, error) {
	if problem := aboutName(name); problem != "" {
		return "", postern.Errorf(postern.InvalidRequest, "The token's name %s.", problem)
	}
	if len(rights) == 0 {
		return "", postern.Errorf(postern.InvalidRequest, "The token needs a right at least: %s.", strings.Join(OperatorRights, ", "))
	}
	for _, right := range rights {
		if !slices.Contains(OperatorRights, right) {
			return "", postern.Errorf(postern.InvalidRequest, "There is no right %q; there are %s.", right, strings.Join(OperatorRights, ", "))
		}
	}
	id, err := postern.NewID(r.Random, "tok_")
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	token, err := postern.OperatorForm.Mint(r.Random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, fmt.Errorf("operator token: %w", err))
	}
	rights = slices.Compact(slices.Sorted(slices.Values(rights)))
	return token, r.Store.SaveOperatorToken(ctx, OperatorToken{ID: id, Name: name, Hash: token.Hash(), Rights: rights, Now: r.Now()})
}
