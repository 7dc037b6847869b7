package registry

import (
	"reflect"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// File is a resources file.
type File struct {
	Name string
	Data []byte
}

// Resources are what resources files declare, taken together: several files,
// and several documents in a file, are one declaration.
type Resources struct {
	scopes    []*scopeDecl
	events    []*eventDecl
	accounts  []*accountDecl
	users     []*userDecl // each once, with all its memberships
	partners  []*partnerDecl
	members   []*staffDecl // of partners; each once
	apps      []*appDecl
	apis      []*apiDecl
	operators []*staffDecl

	problems yamlfile.Problems // found so far
}

// Read reads resources files. What is wrong with them is said by Apply, with
// all else.
func Read(files ...File) *Resources {
	r := &Resources{}
	var all document
	for _, f := range files {
		nodes, problems := yamlfile.ReadAll(f.Name, f.Data)
		r.problems = append(r.problems, problems...)
		for _, n := range nodes {
			if n.Kind == yamlfile.Null { // an empty document says nothing
				continue
			}
			var doc document
			r.problems = append(r.problems, n.Decode(&doc)...)
			all.Scopes = append(all.Scopes, doc.Scopes...)
			all.Events = append(all.Events, doc.Events...)
			all.Accounts = append(all.Accounts, doc.Accounts...)
			all.Partners = append(all.Partners, doc.Partners...)
			all.APIs = append(all.APIs, doc.APIs...)
			all.Operators = append(all.Operators, doc.Operators...)
		}
	}
	r.gather(&all)
	return r
}

func (r *Resources) gather(all *document) {
	r.scopes = unite(&r.problems, all.Scopes)
	r.events = unite(&r.problems, all.Events)
	r.apis = unite(&r.problems, all.APIs)
	r.operators = unite(&r.problems, all.Operators)
	r.accounts = unite(&r.problems, all.Accounts)
	r.partners = unite(&r.problems, all.Partners)
	r.gatherUsers()
	r.gatherPartners()
}

// gatherUsers makes one user of all that accounts say of one e-mail address.
func (r *Resources) gatherUsers() {
	var all []*userDecl
	for _, a := range r.accounts {
		all = append(all, a.Users...)
	}
	r.users = unite(&r.problems, all)
	of := byName(r.users)
	for _, a := range r.accounts {
		for _, u := range a.Users {
			if one := of[nameOf(u)]; one != nil {
				r.belongs(&one.memberships, &membershipDecl{where: where{[]*yamlfile.Node{u.Node}}, account: a, Role: u.Role, Remove: u.Remove})
			}
		}
	}
}

// gatherPartners does the same for members, and collects the apps.
func (r *Resources) gatherPartners() {
	var all []*staffDecl
	for _, p := range r.partners {
		all = append(all, p.Members...)
		for _, a := range unite(&r.problems, p.Apps) {
			a.partner = p
			r.apps = append(r.apps, a)
		}
	}
	r.members = unite(&r.problems, all)
	of := byName(r.members)
	for _, p := range r.partners {
		for _, m := range p.Members {
			if one := of[nameOf(m)]; one != nil {
				r.belongs(&one.memberships, &membershipDecl{where: where{[]*yamlfile.Node{m.Node}}, partner: p, Role: m.Role, Remove: m.Remove})
			}
		}
	}
	r.appsOfTwo()
}

// nameOf is the e-mail address that a person is matched by.
func nameOf[T declaration](d T) string {
	if d.node() == nil {
		return ""
	}
	name, _ := d.names()
	return name
}

func byName[T declaration](all []T) map[string]T {
	of := map[string]T{}
	for _, d := range all {
		if name := nameOf(d); name != "" {
			of[name] = d
		}
	}
	return of
}

// belongs adds a membership, or joins it with the one that is known already.
func (r *Resources) belongs(known *[]*membershipDecl, m *membershipDecl) {
	for _, k := range *known {
		if k.account == m.account && k.partner == m.partner {
			r.problems = append(r.problems, join(k, m)...)
			k.nodes = append(k.nodes, m.nodes...)
			return
		}
	}
	*known = append(*known, m)
}

// appsOfTwo finds a client_id that two partners declare.
func (r *Resources) appsOfTwo() {
	first := map[yamlfile.Text]*appDecl{}
	for _, a := range r.apps {
		if a.ClientID == nil {
			continue
		}
		if other, twice := first[*a.ClientID]; twice {
			r.problems = append(r.problems, a.problem("client_id",
				"two partners declare the app %s; the other one is at %s", *a.ClientID, other.nodes[0].Position))
			continue
		}
		first[*a.ClientID] = a
	}
}

// declaration is an object that may be declared in several places.
type declaration interface {
	place() *where
	// names are what the object is matched by: its id, and without one its name.
	// Without either it stays alone.
	names() (id, name string)
	node() *yamlfile.Node
}

func (d *scopeDecl) names() (string, string)   { return d.Name, "" }
func (d *eventDecl) names() (string, string)   { return d.Type, "" }
func (d *accountDecl) names() (string, string) { return string(value(d.ID)), value(d.Name) }
func (d *userDecl) names() (string, string)    { return postern.FoldEmail(d.Email), "" }
func (d *partnerDecl) names() (string, string) { return string(value(d.ID)), value(d.Name) }
func (d *staffDecl) names() (string, string)   { return postern.FoldEmail(d.Email), "" }
func (d *appDecl) names() (string, string)     { return string(value(d.ClientID)), value(d.Name) }
func (d *apiDecl) names() (string, string)     { return string(value(d.ID)), value(d.Name) }

func (d *scopeDecl) node() *yamlfile.Node   { return d.Node }
func (d *eventDecl) node() *yamlfile.Node   { return d.Node }
func (d *accountDecl) node() *yamlfile.Node { return d.Node }
func (d *userDecl) node() *yamlfile.Node    { return d.Node }
func (d *partnerDecl) node() *yamlfile.Node { return d.Node }
func (d *staffDecl) node() *yamlfile.Node   { return d.Node }
func (d *appDecl) node() *yamlfile.Node     { return d.Node }
func (d *apiDecl) node() *yamlfile.Node     { return d.Node }

// unite makes one declaration of all that are about one object, in the order
// of their first mention. One that gives only a name is about the object of
// that name, if another place says its id.
func unite[T declaration](problems *yamlfile.Problems, all []T) (out []T) {
	all = slices.DeleteFunc(slices.Clone(all), func(d T) bool { return d.node() == nil }) // no mapping, which has been said
	ids := idsOfNames(all)
	known := map[string]T{}
	for _, d := range all {
		id, name := d.names()
		key := "id " + id
		if id == "" {
			switch key = "name " + name; len(ids[name]) {
			case 0:
			case 1:
				key = "id " + ids[name][0]
			default:
				*problems = append(*problems, d.node().ProblemAt("name", "several are called %q; say which one by its id", name))
				continue
			}
		}
		d.place().nodes = []*yamlfile.Node{d.node()}
		if first, again := known[key]; again && id+name != "" {
			*problems = append(*problems, join(first, d)...)
			first.place().nodes = append(first.place().nodes, d.node())
			continue
		}
		known[key] = d
		out = append(out, d)
	}
	return out
}

// idsOfNames are the ids that are declared together with each name.
func idsOfNames[T declaration](all []T) map[string][]string {
	ids := map[string][]string{}
	for _, d := range all {
		if id, name := d.names(); id != "" && name != "" && !slices.Contains(ids[name], id) {
			ids[name] = append(ids[name], id)
		}
	}
	return ids
}

// join adds to the first declaration of an object, or a membership, what a
// further one says. A key that both give must say the same.
func join[T interface{ place() *where }](into, from T) (problems yamlfile.Problems) {
	a, b := reflect.ValueOf(into).Elem(), reflect.ValueOf(from).Elem()
	for i := range a.NumField() {
		field := a.Type().Field(i)
		key, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch said := b.Field(i); {
		case key == "" || option != "" || field.Tag.Get("join") == "no" || said.IsNil():
		case field.Type.Kind() == reflect.Slice: // lists of objects add up
			a.Field(i).Set(reflect.AppendSlice(a.Field(i), said))
		case a.Field(i).IsNil():
			a.Field(i).Set(said)
		case !same(a.Field(i).Interface(), said.Interface()):
			problems = append(problems, from.place().problem(key,
				"something else is declared at %s", into.place().with(key).Member(key).Position))
		}
	}
	return problems
}

// same compares two values wherever they stand.
func same(a, b any) bool {
	if x, ok := a.(*[]secretDecl); ok {
		return slices.EqualFunc(*x, *b.(*[]secretDecl), func(x, y secretDecl) bool {
			x.Node, y.Node = nil, nil
			return reflect.DeepEqual(x, y)
		})
	}
	return reflect.DeepEqual(a, b)
}
