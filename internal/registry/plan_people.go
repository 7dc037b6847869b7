package registry

import (
	"maps"
	"slices"
	"unicode/utf8"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

func (p *plan) planAccounts() {
	for _, a := range p.state.Accounts {
		if a.Handle != "" && !a.Removed {
			p.handles[postern.FoldNickname(a.Handle)] = a.ID
		}
	}
	for _, d := range p.res.accounts {
		if row, ok := match(p, &d.where, p.state.Accounts, "id", string(value(d.ID)), value(d.Name), value(d.Remove)); ok {
			p.planAccount(d, row)
		}
	}
}

func (p *plan) planAccount(d *accountDecl, row *Account) {
	if value(d.Remove) {
		id, name := d.names()
		if row != nil {
			id, name = row.ID, row.Name
			p.gone[id] = true
		}
		p.didDrop("account", row != nil, id, name, &p.writes.DropAccounts)
		return
	}
	isNew := row == nil
	if isNew {
		row = &Account{Account: postern.Account{ID: string(value(d.ID)), Number: p.newNumber()}}
		if row.ID == "" {
			row.ID = p.newID("acc_")
		}
		if d.Name == nil && d.ID != nil {
			p.report(d.problem("name", "is missing; no account has this id yet, and a new one needs a name"))
		}
	}
	c := p.change("account", row.ID, "")
	set(c, "name", &row.Name, d.Name)
	set(c, "handle", &row.Handle, (*string)(d.Handle))
	setAttributes(c, &row.Attributes, d.Attributes)
	set(c, "disabled", &row.Disabled, d.Disabled)
	p.takeHandle(d, row)
	p.accountOf[d] = row.ID
	if c.Name = row.Name; p.didPut(c, isNew) {
		p.writes.Accounts = append(p.writes.Accounts, Put[Account]{Row: *row, New: isNew})
	}
}

// takeHandle keeps two accounts from one handle: addresses are made of them.
func (p *plan) takeHandle(d *accountDecl, row *Account) {
	if value(d.Handle) == "" {
		return
	}
	folded := postern.FoldNickname(row.Handle)
	if other, taken := p.handles[folded]; taken && other != row.ID {
		p.report(d.problem("handle", "is the handle of another account (%s); choose another", other))
	}
	p.handles[folded] = row.ID
}

// owner is whose a nickname is, or was.
type owner struct {
	user string // id
	at   string // where it was declared, in this apply
}

// planUsers finds all users first, and gives them the nicknames that are
// declared; those that are made up come after.
func (p *plan) planUsers() {
	for nickname, user := range p.state.Nicknames {
		p.nicknames[nickname] = owner{user: user}
	}
	rows := make([]*User, len(p.res.users))
	isNew := make([]bool, len(rows))
	for i, d := range p.res.users {
		rows[i], isNew[i] = p.findUser(d)
		if rows[i] != nil && d.Nickname != nil {
			p.takeNickname(d, rows[i].ID)
		}
	}
	for i, d := range p.res.users {
		if rows[i] != nil {
			p.planUser(d, rows[i], isNew[i])
		}
	}
}

// findUser matches a user by e-mail address. Nil is a user of whom nothing is
// left to do, or whose id is a problem.
func (p *plan) findUser(d *userDecl) (row *User, isNew bool) {
	id := string(value(d.ID))
	folded := postern.FoldEmail(d.Email)
	for _, u := range p.state.Users {
		switch same := postern.FoldEmail(u.Email) == folded && !u.Removed; {
		case same && id != "" && id != u.ID:
			p.report(d.problem("id", "the user %s has the id %s already, and ids stay as they are", d.Email, u.ID))
			return nil, false
		case same:
			u.Roles = maps.Clone(u.Roles)
			maps.DeleteFunc(u.Roles, func(account, _ string) bool { return p.gone[account] })
			return &u, false
		}
	}
	if !p.joinsAny(d) {
		p.change("user", d.Email, "")
		return nil, false
	}
	if id == "" {
		id = p.newID("usr_")
	}
	if p.newUsers[id] || slices.ContainsFunc(p.state.Users, func(u User) bool { return u.ID == id }) {
		p.report(d.problem("id", "is or was another user's, and an id is never given again; choose another"))
		return nil, false
	}
	p.newUsers[id] = true
	return &User{User: postern.User{ID: id, Email: d.Email, Number: p.newNumber()}, Roles: map[string]string{}}, true
}

// joinsAny reports whether the user is to belong to an account.
func (p *plan) joinsAny(d *userDecl) bool {
	return slices.ContainsFunc(d.memberships, func(m *membershipDecl) bool {
		return !value(m.Remove) && p.accountOf[m.account] != ""
	})
}

// takeNickname gives a user the nickname that is declared. None comes to name
// another person: partners know people by it (xeebo.md §3).
func (p *plan) takeNickname(d *userDecl, id string) {
	folded := postern.FoldNickname(string(*d.Nickname))
	here := d.with("nickname").Member("nickname").Position.String()
	if other, taken := p.nicknames[folded]; taken && other.user != id {
		if other.at != "" {
			p.report(d.problem("nickname", "is also declared for another user at %s; nicknames differ in more than case and width", other.at))
		} else {
			p.report(d.problem("nickname", "is or was another user's, and partners know people by it; choose another"))
		}
		return
	}
	p.nicknames[folded] = owner{id, here}
}

func (p *plan) planUser(d *userDecl, row *User, isNew bool) {
	c := p.change("user", row.ID, row.Email)
	set(c, "email", &row.Email, &d.Email) // its spelling
	set(c, "name", &row.Name, d.Name)
	set(c, "nickname", &row.Nickname, (*string)(d.Nickname))
	if row.Nickname == "" {
		row.Nickname = p.makeNickname(row)
	}
	setAttributes(c, &row.Attributes, d.Attributes)
	set(c, "disabled", &row.Disabled, d.Disabled)
	off := slices.Contains(c.Keys, "disabled") && row.Disabled
	newPassword := p.setPassword(c, password{&d.where, "user " + row.Email, d.Password, d.PasswordHash}, &row.PasswordHash, &row.Declared)
	left := p.planMemberships(d, row, c)
	switch {
	case left && len(row.Roles) == 0:
		p.writes.DropUsers = append(p.writes.DropUsers, row.ID)
		p.did(c, Removed)
		return
	case !isNew && (off || newPassword):
		p.writes.EndSessions = append(p.writes.EndSessions, row.ID)
	}
	if c.Name = row.Email; p.didPut(c, isNew) {
		p.writes.Users = append(p.writes.Users, Put[User]{Row: *row, New: isNew})
	}
}

const defaultRole = "member"

// planMemberships reports whether the user leaves an account.
func (p *plan) planMemberships(d *userDecl, row *User, c *Change) (left bool) {
	for _, m := range d.memberships {
		account := p.accountOf[m.account]
		if account == "" { // it goes itself, or is a problem
			continue
		}
		role, in := row.Roles[account]
		switch {
		case value(m.Remove) && in:
			delete(row.Roles, account)
			p.writes.Leave = append(p.writes.Leave, Leave{AccountID: account, UserID: row.ID})
			c.Keys = append(c.Keys, "left "+account)
			left = true
		case value(m.Remove):
		case !in:
			row.Roles[account] = defaultRole
			if m.Role != nil {
				row.Roles[account] = *m.Role
			}
			c.Keys = append(c.Keys, "joined "+account)
		case m.Role != nil && *m.Role != role:
			row.Roles[account] = *m.Role
			c.Keys = append(c.Keys, "role in "+account)
		}
	}
	return left
}

// proposals are nicknames for a user who came without, in the order in which
// they are tried: the local part of the e-mail address, then with a number.
func proposals(email string) []string {
	base := postern.MakeNickname(email)
	return []string{base, numbered(base, "2"), numbered(base, "3")}
}

func numbered(base, number string) string {
	for utf8.RuneCountInString(base)+len(number) > longestName {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	return base + number
}

// makeNickname takes the first proposal that is free, else one with a number
// that nobody has.
func (p *plan) makeNickname(row *User) string {
	candidates := proposals(row.Email)
	last, err := postern.Form{Alphabet: "0123456789", Length: 10}.Mint(p.rules.Random)
	p.fail(err)
	for _, nickname := range append(candidates, numbered(candidates[0], string(last))) {
		folded := postern.FoldNickname(nickname)
		if _, taken := p.nicknames[folded]; !taken {
			p.nicknames[folded] = owner{user: row.ID}
			return nickname
		}
	}
	return candidates[0] // ten random digits twice: the rows refuse it
}

func (p *plan) planMembers() {
	for _, d := range p.res.members {
		row, isNew := p.findStaff(p.state.Members, d)
		c := p.change("member", row.ID, row.Email)
		left := p.planStaffRoles(d, row, c)
		if len(row.Roles) == 0 {
			if isNew {
				c.ID = d.Email
				continue
			}
			if left {
				p.writes.DropStaff = append(p.writes.DropStaff, row.ID)
				p.did(c, Removed)
				continue
			}
		}
		p.setStaff(d, row, c)
		if p.didPut(c, isNew) {
			p.writes.Members = append(p.writes.Members, Put[Staff]{Row: *row, New: isNew})
		}
	}
}

func (p *plan) planStaffRoles(d *staffDecl, row *Staff, c *Change) (left bool) {
	for _, m := range d.memberships {
		partner := p.partnerOf[m.partner]
		if partner == "" {
			continue
		}
		role, in := row.Roles[partner]
		switch {
		case value(m.Remove) && in:
			delete(row.Roles, partner)
			c.Keys = append(c.Keys, "left "+partner)
			left = true
		case value(m.Remove):
		case !in:
			row.Roles[partner] = "viewer" // the least, until more is said
			if m.Role != nil {
				row.Roles[partner] = *m.Role
			}
			c.Keys = append(c.Keys, "joined "+partner+voidUnvouched(d, row))
		case m.Role != nil && *m.Role != role:
			row.Roles[partner] = *m.Role
			c.Keys = append(c.Keys, "role in "+partner)
		}
	}
	return left
}

// voidUnvouched ends a sign-in for whose e-mail nobody vouches, when a file says
// that the person is with another partner: the file means whom the address belongs
// to, and the sign-in may be anybody's. Who applies is told.
func voidUnvouched(d *staffDecl, row *Staff) string {
	if row.Vouched != "" {
		return ""
	}
	row.PasswordHash, row.Declared, row.Vouched = "", "", postern.ByOperator
	if d.Password != nil || d.PasswordHash != nil {
		return ""
	}
	return " (nobody vouched for the e-mail, so the password does not count any more: `postern partner reset " + row.Email + "` makes a link to choose another)"
}

func (p *plan) planOperators() {
	for _, d := range p.res.operators {
		row, isNew := p.findStaff(p.state.Operators, d)
		if value(d.Remove) {
			p.didDrop("operator", !isNew, row.ID, row.Email, &p.writes.DropStaff)
			continue
		}
		c := p.change("operator", row.ID, row.Email)
		p.setStaff(d, row, c)
		if p.didPut(c, isNew) {
			p.writes.Operators = append(p.writes.Operators, Put[Staff]{Row: *row, New: isNew})
		}
	}
}

func (p *plan) findStaff(rows []Staff, d *staffDecl) (row *Staff, isNew bool) {
	folded := postern.FoldEmail(d.Email)
	for _, s := range rows {
		if postern.FoldEmail(s.Email) == folded {
			s.Roles = maps.Clone(s.Roles)
			maps.DeleteFunc(s.Roles, func(partner, _ string) bool { return p.gone[partner] })
			return &s, false
		}
	}
	return &Staff{ID: p.newID("stf_"), Email: d.Email, Vouched: postern.ByOperator, Roles: map[string]string{}}, true
}

func (p *plan) setStaff(d *staffDecl, row *Staff, c *Change) {
	set(c, "email", &row.Email, &d.Email) // its spelling
	set(c, "name", &row.Name, d.Name)
	set(c, "disabled", &row.Disabled, d.Disabled)
	if p.setPassword(c, password{&d.where, c.Kind + " " + row.Email, d.Password, d.PasswordHash}, &row.PasswordHash, &row.Declared) {
		row.Vouched = postern.ByOperator
	}
}

// password is what a declaration says of somebody's password.
type password struct {
	where *where
	whose string
	clear *yamlfile.Text
	hash  *string
}

// setPassword sets a password if it is another than was declared last. The
// person may have changed it since; that stays.
func (p *plan) setPassword(c *Change, said password, stored, declared *string) (set bool) {
	var hash string
	var err error
	key := "password"
	switch {
	case said.hash != nil:
		if key, hash = "password_hash", *said.hash; hash == *declared {
			return false
		}
		err = p.rules.Passwords.CheckHash(hash)
	case said.clear != nil:
		secret := postern.Secret(*said.clear)
		if p.memo.made(*declared, secret) {
			return false
		}
		hash, err = p.memo.hash(said.whose, secret)
	default:
		return false
	}
	if postern.Is(err, postern.InvalidRequest) {
		p.report(said.where.problem(key, "%s", err.(*postern.Error).Msg))
		return false
	}
	p.fail(err)
	*stored, *declared = hash, hash
	c.Keys = append(c.Keys, key)
	return true
}
