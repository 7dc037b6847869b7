// Package postern is the vocabulary of Postern, the partner entrance to an API:
// the nouns, and small pure methods on them. Nothing here needs a network or a
// database.
//
// # The house
//
//	doors    internal/dialect   partners' machines: loads dialects, reads and writes the wire
//	         internal/gate      the API: what does this token stand for?
//	         internal/web       end users' browsers: sign-in, consent, connections
//	         internal/portal    partners' browsers: apps, keys, what happened and why
//	         internal/admin     operators: the REST API and the console
//	         internal/entry     the sign-in and the frame that the last two share
//	rules    internal/oauth     ask, answer, redeem, rotate, check, revoke, disconnect
//	         internal/registry  partners, apps, secrets, accounts: as files declare and forms say them
//	         internal/identity  users and staff, passwords, sessions, teams
//	         internal/webhook   what apps are told, signed, sent and retried
//	         internal/requestlog  what apps asked, how it was answered and why
//	         internal/sandbox   throw-away accounts in which partners try things
//	         internal/logo      apps' logos, fetched and written anew
//	         internal/signing   the keys that sign access tokens
//	ground   internal/store     rows, on SQLite and on PostgreSQL
//	         internal/ui        templates, styles, words
//	         internal/browser   cookies, forms that only their browser can send
//	         internal/vault     seals the secrets that must be used again
//	         internal/mail      an outbox of mails, and the way to the SMTP server
//	         internal/jwks      the public keys of apps that sign instead of showing a secret
//	         internal/routes    which scopes each call of the API needs
//	         internal/yamlfile  strict YAML with the place of every mistake
//	         internal/markup    HTML as a person reads it
//	         internal/wire      HTTP as text, and a browser without a person
//	         internal/transcript  conversations as text: what went over a wire
//	         internal/draft     writes a dialect's first version from a few answers
//	         internal/record    writes transcripts of what a live server says
//	roof     internal/server    builds the rooms, mounts the doors, starts and stops
//	         internal/replay    plays transcripts against a throw-away Postern
//	         cmd/postern        the operator's terminal
//
// Arrows point down and stop: doors → rules → this package ← store. Only the
// roof sees the store. A test holds them.
//
// # The words
//
//   - An account is a customer of the SaaS; users belong to it through
//     memberships, each with a role.
//   - A partner is a company that integrates; it owns apps.
//   - An app is an OAuth client: a client_id, secrets, redirect URLs, a dialect
//     and a level.
//   - A connection is a standing permission of an app for an account (or for
//     one user). It is made once, ended once, and never revived.
//   - A ticket is a question put to a person, bound to the browser that asked.
//   - A code is what an approval hands the app. It is redeemed once. The tokens
//     born of it are a family.
//   - A refresh token is rotated; a connection is disconnected.
//   - A dialect is the wire. Databases are engines.
package postern
