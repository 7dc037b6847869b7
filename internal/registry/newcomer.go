package registry

import (
	"regexp"
	"strings"
)

// AboutNewcomer checks what somebody writes of themselves who comes to a
// partner: company and name where they are asked for, and the e-mail. The same
// rules hold as for what files declare.
func AboutNewcomer(company, name, email *string) Findings {
	var found Findings
	if company != nil {
		found.aboutNameIn("company", *company, "Write the name of your company.")
	}
	if name != nil {
		found.aboutNameIn("name", *name, "Write your name.")
	}
	if email != nil && aboutEmail(*email) != "" {
		found.refuse("email", "This is not an e-mail address; write it as in ada@example.com.")
	}
	return found
}

// AboutCompany is AboutNewcomer for a company that registers itself, which may
// not pass for the operator (attacks.md LC-09).
func (r *Rules) AboutCompany(company, name, email string) Findings {
	found := AboutNewcomer(&company, &name, &email)
	for _, reserved := range r.Reserved {
		if passesFor(company, reserved) {
			found.refuse("company", "This name looks like %s itself. Choose one that nobody takes for it.", reserved)
		}
	}
	return found
}

// webAddress is what mail programs make links of, or people follow. A bare host
// may be a company's name.
var webAddress = regexp.MustCompile(`(?i)://|\bwww\.|\w\.\w+/`)

// aboutNameIn is aboutName, and refuses web addresses: what a stranger writes here
// stands in mails that go to whomever they name.
func (f *Findings) aboutNameIn(field, text, missing string) {
	switch problem := aboutName(text); {
	case strings.TrimSpace(text) == "":
		f.refuse(field, missing)
	case problem != "":
		f.refuse(field, "This %s.", Said(problem))
	case webAddress.MatchString(text):
		f.refuse(field, "This holds a web address. Write a name.")
	}
}
