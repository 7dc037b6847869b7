// Package dialects holds the wires that come with the product, one file each,
// with its transcripts in the folder of its name. They are data: package
// internal/dialect reads them.
package dialects

import "embed"

// Files are the dialects' files and transcripts.
//
//go:embed *.yaml
var Files embed.FS
