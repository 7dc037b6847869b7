package browser

import "testing"

func TestNoPageIsBehindAPathThatCanBeReadInTwoWays(t *testing.T) {
	for _, p := range []string{"", "apps", "/a/", "//a", "/a//b", "/a/./b", "/a/../b", "/a/\x00", "/a/\xff"} {
		if !Nowhere(p) {
			t.Errorf("%q is somewhere", p)
		}
	}
	for _, p := range []string{"/", "/a", "/a/ü.png", "/a/..b"} {
		if Nowhere(p) {
			t.Errorf("%q is nowhere", p)
		}
	}
}
