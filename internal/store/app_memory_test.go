package store

import (
	"testing"

	"postern.dev/postern"
)

// A database that was made before the registry had versions is at 0 until somebody
// changes an app.
func TestAppsAreKnownBeforeTheRegistryEverChanged(t *testing.T) {
	var k appMemory
	k.put(&postern.App{ID: "a"})
	if app := k.get("a", 0); app == nil || app.ID != "a" {
		t.Errorf("got %+v", app)
	}
	if app := k.get("a", 1); app != nil {
		t.Errorf("at the next version it is still %+v", app)
	}
}
