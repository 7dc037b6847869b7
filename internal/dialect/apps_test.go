package dialect

import (
	"net/http/httptest"
	"slices"
	"testing"
)

func TestAFileSaysWhatRegistrationDemands(t *testing.T) {
	for name, want := range map[string]AppRules{
		"xref":     {OneRedirectURL: true, Required: []string{"description", "url"}},
		"xeebo":    {SomeRedirectURL: true},
		"standard": {NativeApps: true},
	} {
		d, err := Library{}.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		got := d.Apps()
		if got.OneRedirectURL != want.OneRedirectURL || got.SomeRedirectURL != want.SomeRedirectURL || !slices.Equal(got.Required, want.Required) || got.NativeApps != want.NativeApps {
			t.Errorf("%s demands %+v, wanted %+v", name, got, want)
		}
	}
	_, err := Library{}.Compile("f", []byte("language: 1\nname: x\napps: {redirect_urls: two, required: [urls]}\n"))
	const says = "f:3:23: apps.redirect_urls: unknown value \"two\"; known: any, some, one\n" +
		"f:3:38: apps.required: unknown key \"urls\"; did you mean \"url\"?"
	if err == nil || err.Error() != says {
		t.Errorf("said\n%v\nwanted\n%s", err, says)
	}
}

func TestARefusalCanNameItsRequest(t *testing.T) {
	d, err := Library{}.Compile("f", []byte("language: 1\nname: acme\nerrors: {body: {error: $error, id: $request_id}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "req_1") // as whoever serves the door sets it
	newBench(t, set).ServeHTTP(w, httptest.NewRequest("POST", "/oauth/token", nil))
	if got := w.Body.String(); got != `{"error":"invalid_request","id":"req_1"}` && got != `{"error":"invalid_client","id":"req_1"}` {
		t.Errorf("said %d %s", w.Code, got)
	}
}
