package dialect

import (
	"slices"
	"testing"
)

func TestAFileSaysWhatRegistrationDemands(t *testing.T) {
	for name, want := range map[string]AppRules{
		"xref":     {OneRedirectURL: true, Required: []string{"description", "url"}},
		"xeebo":    {SomeRedirectURL: true},
		"standard": {},
	} {
		d, err := Library{}.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		got := d.Apps()
		if got.OneRedirectURL != want.OneRedirectURL || got.SomeRedirectURL != want.SomeRedirectURL || !slices.Equal(got.Required, want.Required) {
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
