package postern

// Partner is a company that integrates. It owns apps and has members.
type Partner struct {
	ID       string
	Name     string
	Disabled bool
}
