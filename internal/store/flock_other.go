//go:build !unix

package store

import "os"

// flock takes no lock: SQLite's own keep the file whole.
func flock(*os.File, bool) error { return nil }

func isAlive(int) bool { return true }
