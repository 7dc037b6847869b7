// Package e2e holds the tests that go through the whole of Postern, from the
// partner's request to the row and back, on both engines: the wires of the
// built-in dialects word by word, races, restarts and several nodes on one
// database. Names of tests are rules; a rule's test stands in the file of its
// dialect, or in one of its own when it holds for all.
package e2e
