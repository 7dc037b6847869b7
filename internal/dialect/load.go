package dialect

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern/dialects"
	"postern.dev/postern/internal/yamlfile"
)

// Library is where dialects come from: the built-in ones, and lifetimes for what
// a file leaves to the configuration.
type Library struct {
	Lifetimes Lifetimes
}

// Builtin are the names of the dialects that come with the product.
func Builtin() []string {
	entries, _ := dialects.Files.ReadDir(".")
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// BuiltinFile is the text of a built-in dialect's file.
func BuiltinFile(name string) ([]byte, bool) {
	if !dialectName.MatchString(name) {
		return nil, false
	}
	data, err := dialects.Files.ReadFile(name + ".yaml")
	return data, err == nil
}

// Builtin compiles a dialect that comes with the product.
func (l Library) Builtin(name string) (*Dialect, error) {
	data, ok := BuiltinFile(name)
	if !ok {
		return nil, &NoDialect{name}
	}
	return l.Compile("dialects/"+name+".yaml", data)
}

// NoDialect is a name that no built-in dialect has.
type NoDialect struct{ Name string }

func (e *NoDialect) Error() string {
	return "there is no built-in dialect \"" + e.Name + "\"" + yamlfile.Suggest(e.Name, Builtin()) +
		"; a dialect of your own is given as a file"
}

// Compile reads a dialect's file. The error is a yamlfile.Problems with all that
// is wrong, in file order. A file can break no rule of the engine: what the
// language cannot say safely is refused here.
func (l Library) Compile(file string, data []byte) (*Dialect, error) {
	d, findings := l.read(file, data)
	var problems yamlfile.Problems
	for _, f := range findings {
		if !f.Warning {
			problems = append(problems, f.Problem)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	d.forget()
	return d, nil
}

// forget lets go of the file, which only findings speak of.
func (d *Dialect) forget() {
	d.node = nil
	for _, e := range d.endpoints {
		e.node = nil
	}
	for i := range d.variants {
		d.variants[i].node = nil
	}
	for i := range d.events {
		d.events[i].node = nil
	}
}

// read compiles a file and looks it over: its form, and all that can be said of
// its sense beside mistakes of form.
func (l Library) read(file string, data []byte) (*Dialect, []Finding) {
	n, problems := readFile(file, data)
	if len(problems) == 0 {
		n, problems = extended(n)
	}
	if len(problems) > 0 {
		return nil, findings(problems)
	}
	c := &compiler{spec: &spec{}, d: &Dialect{file: file, node: n}, lifetimes: l.Lifetimes}
	if c.lifetimes == (Lifetimes{}) {
		c.lifetimes = DefaultLifetimes
	}
	if n.Kind == yamlfile.Null {
		return nil, findings(yamlfile.Problems{n.Problem("the file is empty; it begins with language: 1 and name: NAME")})
	}
	c.problems = n.Decode(c.spec)
	if n.Kind == yamlfile.Mapping {
		unread := len(c.problems)
		c.compile()
		c.problems = onceEach(c.problems, unread)
	}
	if len(c.problems) == 0 {
		return c.d, lint(c.spec, c.d)
	}
	all := findings(c.problems)
	if n.Kind == yamlfile.Mapping {
		all = append(all, beside(c.problems, lint(c.spec, c.d))...)
	}
	sortFindings(all)
	return nil, all
}

// onceEach leaves out what is said of the sense of a place that could not be read
// in the first place: the first so many problems say why.
func onceEach(problems yamlfile.Problems, unread int) yamlfile.Problems {
	said := map[yamlfile.Position]bool{}
	for _, p := range problems[:unread] {
		said[p.Position] = true
	}
	return append(problems[:unread:unread], slices.DeleteFunc(problems[unread:], func(p yamlfile.Problem) bool { return said[p.Position] })...)
}

// beside are the lints that hold whatever the mistakes of form are mended to. A
// block that could not be read says nothing of what is missing in it, and what
// all blocks rest upon says nothing of any.
func beside(problems yamlfile.Problems, lints []Finding) []Finding {
	broken := map[string]bool{}
	for _, p := range problems {
		if p.Unknown {
			continue
		}
		block, _, _ := strings.Cut(strings.ReplaceAll(p.Key, "[", "."), ".")
		if !slices.Contains(endpointBlocks, block) {
			return nil
		}
		broken[block] = true
	}
	return slices.DeleteFunc(lints, func(f Finding) bool {
		block, _, _ := strings.Cut(strings.ReplaceAll(f.Key, "[", "."), ".")
		ofAll := !slices.Contains(endpointBlocks, block) || f.Lint == "E07" || f.Lint == "E09"
		return broken[block] || ofAll && len(broken) > 0
	})
}

// endpointBlocks are the parts of a file that say what one address does.
var endpointBlocks = []string{"authorize", "token", "refresh", "api", "whoami", "introspect", "revoke", "metadata"}

// maxFile is how large a dialect's file may be: many times the largest that says
// something, and little enough to read whatever is in it.
const maxFile = 256 << 10

func readFile(file string, data []byte) (*yamlfile.Node, yamlfile.Problems) {
	if len(data) > maxFile {
		at := yamlfile.Position{File: file}
		return nil, yamlfile.Problems{{Position: at, Msg: "a dialect's file is at most 256 KiB; this one is larger"}}
	}
	return yamlfile.Read(file, data)
}

// extended lays a file over the one that it extends: one level, key by key;
// lists, answers and other trees are replaced whole.
func extended(n *yamlfile.Node) (*yamlfile.Node, yamlfile.Problems) {
	name := n.Member("extends")
	if name == nil {
		return n, nil
	}
	base, problems := baseOf(n.File, name)
	if len(problems) > 0 {
		return nil, problems
	}
	if base.Member("extends") != nil {
		return nil, yamlfile.Problems{name.Problem("%q extends another dialect itself; only one level is read", name.Text)}
	}
	return laidOver(base, n), nil
}

var besideName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*\.ya?ml$`)

// baseOf reads the file that another extends: a built-in dialect, or acme.yaml
// beside it. It never leads out of the directory.
func baseOf(file string, name *yamlfile.Node) (*yamlfile.Node, yamlfile.Problems) {
	if besideName.MatchString(name.Text) {
		path := filepath.Join(filepath.Dir(file), name.Text)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, yamlfile.Problems{name.Problem("the file that it extends cannot be read: %v", err)}
		}
		return readFile(path, data)
	}
	data, ok := BuiltinFile(name.Text)
	if !ok {
		return nil, yamlfile.Problems{name.Problem("%s, or extended as NAME.yaml beside this one", (&NoDialect{name.Text}).Error())}
	}
	return yamlfile.Read("dialects/"+name.Text+".yaml", data)
}

// whole are the keys whose values are trees of their own: laid over, not mixed.
var whole = []string{"answer", "body", "allowed", "failed", "event_data", "grants", "accepts", "keep", "when"}

func laidOver(base, over *yamlfile.Node) *yamlfile.Node {
	if base.Kind != yamlfile.Mapping || over.Kind != yamlfile.Mapping {
		return over
	}
	out := *over
	out.Members = nil
	for _, m := range base.Members {
		if o := over.Member(m.Key); o != nil && !slices.Contains(whole, m.Key) {
			m = yamlfile.Member{Key: m.Key, At: o.Position, Value: laidOver(m.Value, o)}
		} else if o != nil {
			m = yamlfile.Member{Key: m.Key, At: o.Position, Value: o}
		}
		out.Members = append(out.Members, m)
	}
	for _, m := range over.Members {
		if base.Member(m.Key) == nil {
			out.Members = append(out.Members, m)
		}
	}
	return &out
}
