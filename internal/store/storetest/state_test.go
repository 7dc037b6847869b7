package storetest

import "testing"

// An app's state is its own affair: whatever bytes it is made of, they come back
// (xref.md §1).
func TestAZ18_StateComesBackByteForByte(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, state := range []string{"S1", "", "a&b=c+d%20\"☃", "\x00\r\n\x7f", "\xff\xfe \x80", "\u2028<script>"} {
			a := asking(plain, "own", "read")
			a.State = state
			k := w.ask(a)
			if k.State != state {
				t.Errorf("the question has %q, want %q", k.State, state)
			}
			granted, err := w.decide(plain, k, "ada", "acme", true)
			w.ok(err)
			if granted.State != state {
				t.Errorf("the answer has %q, want %q", granted.State, state)
			}
		}
	})
}
