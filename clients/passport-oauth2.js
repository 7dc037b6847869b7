// passport-oauth2 with passport around it, as in an Express site, and the old
// `oauth` library underneath.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import passport from 'passport';
import OAuth2Strategy from 'passport-oauth2';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const wires = {
  standard: { authorize: '/oauth/authorize', token: '/oauth/token', pkce: true, scope: ['candidates.read', 'jobs.read'] },
  xref: {
    authorize: `/oauth/open-api/${CLIENT_ID}`,
    token: '/oauth/tokens',
    pkce: false,
    whoami: { path: '/auth', scheme: 'Token', id: 'xref_account_id' },
  },
};
const wire = wires[process.env.DIALECT];

// A provider's strategy extends the generic one to say who the tokens are for.
class Strategy extends OAuth2Strategy {
  userProfile(accessToken, done) {
    if (!wire.whoami) return done(null, {});
    this._oauth2.setAuthMethod(wire.whoami.scheme);
    this._oauth2.useAuthorizationHeaderforGET(true);
    this._oauth2.get(POSTERN_URL + wire.whoami.path, accessToken, (err, body) =>
      err ? done(err) : done(null, { id: JSON.parse(body)[wire.whoami.id] }));
  }
}

passport.use(new Strategy({
  authorizationURL: POSTERN_URL + wire.authorize,
  tokenURL: POSTERN_URL + wire.token,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: REDIRECT_URL,
  scope: wire.scope,
  state: true,
  pkce: wire.pkce,
}, (accessToken, refreshToken, params, profile, done) => done(null, { accessToken, refreshToken, params, profile })));

// The partner's site. It has one visitor, so one session; query is what Express
// would have read.
const session = {};
const middleware = passport.authenticate('oauth2', { session: false });
const site = createServer((req, res) => {
  req.session = session;
  req.query = Object.fromEntries(new URL(req.url, 'http://site').searchParams);
  middleware(req, res, (err) => {
    res.statusCode = err ? 500 : 200;
    res.end(JSON.stringify(err ? { error: err.code ?? err.message } : req.user));
  });
});
await new Promise((listening) => site.listen(0, '127.0.0.1', listening));
const here = `http://127.0.0.1:${site.address().port}`;
const visit = (path) => fetch(here + path, { redirect: 'manual' });

async function connect(answer) {
  const start = await visit('/connect');
  assert.equal(start.status, 302);
  const back = await answer(start.headers.get('location'));
  return visit('/callback' + back.search);
}

const connected = await connect(allow);
const user = await connected.json();
assert.equal(connected.status, 200, JSON.stringify(user));
assert.ok(user.accessToken);
did(wire.pkce ? 'code with PKCE and state' : 'code with state');
if (wire.whoami) {
  assert.match(user.profile.id, /^[0-9a-f]{32}$/);
  assert.equal(user.params[wire.whoami.id], user.profile.id);
  did('the test call');
} else {
  assert.ok(user.refreshToken);
  assert.equal(user.params.token_type, 'Bearer');
  assert.equal(user.params.scope, 'candidates.read jobs.read');
}

assert.equal((await connect(deny)).status, 401);
did('a denial');

assert.equal((await visit('/callback?code=' + '0'.repeat(64) + '&state=forged')).status, 403);
did('a forged state');

site.close();
finish();
