// Auth.js, as a site that lets people connect would mount it. A site is a
// function of requests, so the browser here is a jar of its cookies.
import assert from 'node:assert/strict';
import { Auth } from '@auth/core';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const callback = new URL(REDIRECT_URL); // https://…/auth/callback/postern
let account;

const site = (how) => ({
  trustHost: true,
  secret: 'a secret of the site, for its own cookies',
  basePath: '/auth',
  providers: [{
    id: 'postern',
    name: 'Postern',
    type: 'oauth',
    issuer: POSTERN_URL,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    client: { token_endpoint_auth_method: how },
    authorization: { url: `${POSTERN_URL}/oauth/authorize`, params: { scope: 'candidates.read jobs.read' } },
    token: `${POSTERN_URL}/oauth/token`,
    userinfo: { request: ({ tokens }) => introspect(tokens.access_token) },
    checks: ['pkce', 'state'],
    profile: (claims) => ({ id: claims.sub, name: claims.username }),
  }],
  callbacks: {
    jwt({ token, account: connected }) {
      account = connected ?? account;
      return token;
    },
  },
  logger: { error() {}, warn() {} }, // errors show where the browser is sent
});

async function introspect(token) {
  const answer = await fetch(`${POSTERN_URL}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: 'Basic ' + btoa(`${CLIENT_ID}:${CLIENT_SECRET}`) },
    body: new URLSearchParams({ token }),
  });
  return answer.json();
}

// connect has the browser press the site's button, and gives where it ends.
async function connect(config, answer) {
  const jar = new Map();
  const visit = async (url, fields) => {
    const response = await Auth(new Request(new URL(url, callback), {
      method: fields ? 'POST' : 'GET',
      headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') },
      body: fields && new URLSearchParams(fields),
    }), config);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      jar.set(name, value);
    }
    return response;
  };
  const { csrfToken } = await (await visit('/auth/csrf')).json();
  const start = await visit('/auth/signin/postern', { csrfToken, callbackUrl: callback.origin + '/done' });
  const back = await answer(start.headers.get('location'));
  return (await visit(back)).headers.get('location');
}

for (const how of ['client_secret_basic', 'client_secret_post']) {
  assert.equal(await connect(site(how), allow), callback.origin + '/done');
  assert.equal(account.token_type, 'bearer');
  assert.equal(account.scope, 'candidates.read jobs.read');
  assert.ok(account.refresh_token);
  assert.match(account.providerAccountId, /./);
  did(`code with PKCE, state and iss (${how})`);
}

const refused = new URL(await connect(site('client_secret_basic'), deny));
assert.ok(refused.searchParams.has('error'), String(refused));
did('a denial');
finish();
