package postern

// Listing is a live connection as a member of its account sees it: with the
// names of those it joins.
type Listing struct {
	Connection Connection
	App        App // what people see of it, and who may connect it
	Account    Account
	Maker      User   // who approved it; empty when that person was removed
	Role       string // the reader's own, in the account
}
