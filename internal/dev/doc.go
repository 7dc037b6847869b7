// Package dev is the whole product on one machine with nothing set up: a server
// on SQLite, a demo company with two accounts, a sample partner's site and a
// sample API. It is for trying things out; the people, the secrets and the
// company are made up, and all of it listens on loopback only.
//
// The partner's side is written from the dialects' files (dialect.Speaker), so a
// further built-in dialect appears here by itself.
package dev
