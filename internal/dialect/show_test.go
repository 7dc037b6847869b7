package dialect

import "testing"

// What --full prints is a file that means the same.
func TestTheFullFormCompilesToItself(t *testing.T) {
	files := map[string]string{"acme": acmeFile, "second": twoTokensFile, "signed": signedFile, "renew": renewFile, "by app": signedByAppFile, "legacy": legacyFile, "alias": aliasFile}
	for _, name := range Builtin() {
		data, _ := BuiltinFile(name)
		files[name] = string(data)
	}
	for name, text := range files {
		d, err := Library{}.Compile(name+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		full := d.Full()
		again, err := Library{}.Compile("full.yaml", []byte(full))
		if err != nil {
			t.Fatalf("%v\n%s", err, full)
		}
		if again.Full() != full {
			t.Errorf("%s: not the same\n%s\n%s", name, full, again.Full())
		}
	}
}

// acmeFile uses what the built-in files do not.
const acmeFile = `
language: 1
name: acme
base: /acme
hosts: {login: login.acme.example, api: api.acme.example}
tenant: account.handle
verifier: 43-256
texts: {who: "${client_id}:x"}
keep: {audience: query audience}
grants: {code: code, renew: refresh}
tokens:
  access: {form: base62 30, prefix: acme_, expires: 90s, imported: "[a-z]{32}"}
  refresh: {absolute: 90d, window: 0s}
  when:
    - {audience: app, access: {expires: 1h}, answer: {access_token: $access_token, app: true}}
    - {query access_type: offline, refresh: {idle: 30d}, at_once: 3}
    - {body expiring: "1", access: {form: base62 25}}
insecure_secret_in_url: {because: "the old partners' wire"}
authorize:
  at: "GET {tenant}.acme.example/start"
  read: {client_id: [query key, header X-Key as base64], state: {from: [query state, query nonce], both: equal}}
  map: {response_type: {auth_code: code}}
  absent: {state: refuse, code_challenge_method: S256}
  callback: {allowed: {code: $code, state: $state, shop: "${account.handle}.acme.example"}, failed: {error: $error, state: $state}}
token:
  at: [POST /token, POST /v2/token]
  accepts: {form: [application/x-www-form-urlencoded], json: [application/*+json]}
  require_headers: [X-Version]
  read: {client_secret: [body secret, query secret, basic password]}
  answer:
    status: 201
    type: {default: json, application/x-www-form-urlencoded: form}
    headers: {X-Who: $texts.who.base64}
    body: {access_token: $access_token, refresh_token: $refresh_token, until: $expires_at.rfc3339, n: 1, ok: true, no: null, price: "$$5", aud: $kept.audience.or_null}
  errors: {status: 200, names: {invalid_grant: 1001}, body: {ok: false, code: $error, deep: [1, {text: $error_description}]}}
api: {read: {access_token: [header X-Token, scheme Acme]}, challenge: "Acme realm=x", errors: {body: {message: $error_description}}}
whoami: {at: GET /me, answer: {id: $account.number.string}}
revoke:
  - {at: "DELETE /token", by: holder, read: {token: header X-Token}, answer: {status: 204, body: empty}}
  - {at: "POST /end/{client_id}", ends: connection, unknown: refuse}
event_data: {acme: $account.id}
`
