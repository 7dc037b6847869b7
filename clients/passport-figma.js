// passport-figma, as in an Express site: scopes by commas, credentials in the
// body, at the addresses of older clients.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import passport from 'passport';
import figma from 'passport-figma';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

passport.use(new figma.Strategy({
  authorizationURL: `${POSTERN_URL}/figma/oauth`,
  tokenURL: `${POSTERN_URL}/figma/api/oauth/token`,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: REDIRECT_URL,
  scope: ['file_content:read', 'current_user:read'],
  state: true,
  skipUserProfile: true, // its address is fixed
}, (accessToken, refreshToken, params, profile, done) => done(null, { accessToken, refreshToken, params })));

// The partner's site has one visitor, so one session; query is what Express
// would have read.
const session = {};
const middleware = passport.authenticate('figma', { session: false });
const site = createServer((req, res) => {
  req.session = session;
  req.query = Object.fromEntries(new URL(req.url, 'http://site').searchParams);
  middleware(req, res, (err) => {
    res.statusCode = err ? 500 : 200;
    res.end(JSON.stringify(err ? { error: err.code ?? err.message } : req.user));
  });
});
await new Promise((listening) => site.listen(0, '127.0.0.1', listening));
const visit = (path) => fetch(`http://127.0.0.1:${site.address().port}${path}`, { redirect: 'manual' });

async function connect(answer) {
  const start = await visit('/connect');
  assert.equal(start.status, 302);
  const back = await answer(start.headers.get('location'));
  return visit('/callback' + back.search);
}

const connected = await connect(allow);
const user = await connected.json();
assert.equal(connected.status, 200, JSON.stringify(user));
assert.match(user.accessToken, /^figu_/);
assert.match(user.refreshToken, /^figur_/);
assert.equal(user.params.expires_in, 90 * 24 * 3600);
did('code with state');

assert.equal((await connect(deny)).status, 401);
did('a denial');

site.close();
finish();
