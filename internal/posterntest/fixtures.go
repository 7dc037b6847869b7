package posterntest

import "golang.org/x/crypto/bcrypt"

// The people, apps and the API that every Postern for tests knows. All people
// have one password.
const (
	Password = "correct horse battery staple"

	Ada   = "ada@acme.test"     // admin of Acme
	Alan  = "alan@acme.test"    // member of Acme
	Grace = "grace@globex.test" // admin of Globex
	Both  = "both@agency.test"  // member of Acme and of Globex

	Dev      = "dev@partner.test"    // owner of Partner Inc
	Coder    = "coder@partner.test"  // developer of Partner Inc
	Viewer   = "viewer@partner.test" // viewer of Partner Inc
	OtherDev = "dev@other.test"      // owner of Other Inc
	Operator = "op@saas.test"

	APIID     = "api-main"
	APISecret = "api-secret-for-tests-0123456789"
)

const redirectURL = "https://partner.test/integrations/cb"

var (
	Xref     = App{"xref-app", "xref-secret-0123456789abcdef", "Xref Partner", redirectURL, "xref"}
	Xeebo    = App{"xeebo-app", "xeebo-secret-0123456789abcdef", "Xeebo Partner", redirectURL, "xeebo"}
	Standard = App{"standard-app", "standard-secret-0123456789abcd", "Standard Partner", redirectURL, "standard"}

	// Public has no secret; Robot may use client_credentials.
	Public = App{"public-app", "", "Public Partner", "http://127.0.0.1/cb", "standard"}
	Robot  = App{"robot-app", "robot-secret-0123456789abcdef", "Robot Partner", redirectURL, "standard"}

	// Moving speaks xref and, for the same connections, standard.
	Moving = App{"moving-app", "moving-secret-0123456789abcdef", "Moving Partner", redirectURL, "xref"}

	// The apps of another company.
	OtherXref     = App{"other-xref", "other-xref-secret-0123456789", "Other Xref", otherURL, "xref"}
	OtherXeebo    = App{"other-xeebo", "other-xeebo-secret-0123456789", "Other Xeebo", otherURL, "xeebo"}
	OtherStandard = App{"other-standard", "other-standard-secret-012345", "Other Standard", otherURL, "standard"}
)

const otherURL = "https://other.test/cb"

// Apps are one app of each dialect, and Others those of another company.
var (
	Apps   = []App{Xref, Xeebo, Standard}
	Others = map[string]App{"xref": OtherXref, "xeebo": OtherXeebo, "standard": OtherStandard}
)

// resources is the file that New applies. Its passwords are hashed as cheaply
// as can be, since tests sign in hundreds of times.
func resources() string {
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil { // only for passwords over 72 bytes
		panic(err)
	}
	user := func(email, role string) string {
		return "{email: " + email + ", password_hash: \"" + string(hash) + "\", role: " + role + "}"
	}
	app := func(a App, more string) string {
		secret := ""
		if a.Secret != "" {
			secret = ", client_secret: " + a.Secret
		}
		return "\n      - {name: " + a.Name + ", description: For tests, url: \"https://partner.test\", dialect: " + a.Dialect +
			", client_id: " + a.ID + secret + ", redirect_urls: [\"" + a.RedirectURL + "\"]" + more + "}"
	}
	const scopes = ", scopes: [candidates.read, candidates.write, jobs.read], default_scopes: [candidates.read]"
	return `
scopes:
  - {name: candidates.read, description: See your candidates}
  - {name: candidates.write, description: Change your candidates}
  - {name: jobs.read, description: See your jobs}
  - {name: billing.read, description: See your invoices}
accounts:
  - {name: Acme, users: [` + user(Ada, "admin") + ", " + user(Alan, "member") + ", " + user(Both, "member") + `]}
  - {name: Globex, users: [` + user(Grace, "admin") + ", " + user(Both, "member") + `]}
partners:
  - name: Partner Inc
    members: [` + user(Dev, "owner") + ", " + user(Coder, "developer") + ", " + user(Viewer, "viewer") + `]
    apps:` + app(Xref, "") + app(Xeebo, scopes) + app(Standard, scopes) +
		app(Public, ", public: true"+scopes) + app(Robot, ", grants: [client_credentials]"+scopes) +
		app(Moving, ", also: [standard]"+scopes) + `
  - name: Other Inc
    members: [` + user(OtherDev, "owner") + `]
    apps:` + app(OtherXref, "") + app(OtherXeebo, scopes) + app(OtherStandard, scopes) + `
operators: [{email: ` + Operator + `, password_hash: "` + string(hash) + `"}]
apis:
  - {name: main, id: ` + APIID + ", secret: " + APISecret + `}
`
}
