package dialect

import (
	"testing"

	"postern.dev/postern"
)

func TestEventsSpeakOfTheAccountByTheWiresOwnName(t *testing.T) {
	set := builtin(t, "xref", "xeebo")
	account := &postern.Account{ID: "acc_1", WireID: xrefAccount}
	xref, _ := set.Get("xref")
	got := xref.EventData(account, nil, "con_1", 7)
	if len(got) != 1 || got[0].Name != "xref_account_id" || string(got[0].JSON) != `"`+xrefAccount+`"` {
		t.Errorf("%s", got)
	}
	xeebo, _ := set.Get("xeebo")
	if got := xeebo.EventData(account, &postern.User{ID: "usr_1"}, "con_1", 7); got != nil {
		t.Errorf("%s", got)
	}
}
