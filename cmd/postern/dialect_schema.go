package main

import (
	"io"

	"postern.dev/postern/internal/dialect"
)

// dialectSchema prints what editors know a dialect's file by.
type dialectSchema struct{}

// Help is shown by --help.
func (dialectSchema) Help() string {
	return `A JSON Schema of the language: an editor completes and checks keys with it as you type.
"dialect check" knows more. Editors that speak to the YAML language server find it by
the first line of a dialect's file:

  # yaml-language-server: $schema=dialect.schema.json

Examples:
  postern dialect schema > dialect.schema.json`
}

// Run is what the command does.
func (dialectSchema) Run(t *terminal) error {
	_, err := io.WriteString(t.out, string(dialect.Schema()))
	return err
}
