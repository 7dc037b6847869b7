// grant, with its handler for plain requests: scopes by commas, form bodies.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import grant from 'grant';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const wires = {
  standard: { authorize: '/oauth/authorize', access: '/oauth/token', delimiter: ' ' },
  figma: { authorize: '/figma/oauth', access: '/figma/api/oauth/token', delimiter: ',', scope: ['file_content:read', 'current_user:read'] },
  xeebo: { authorize: '/xeebo/oauth/authorize', access: '/xeebo/oauth/token', delimiter: ',' },
};
const wire = wires[process.env.DIALECT];

const handle = grant.vercel({
  config: {
    defaults: { origin: new URL(REDIRECT_URL).origin, transport: 'state', state: true, pkce: true },
    postern: {
      oauth: 2,
      authorize_url: POSTERN_URL + wire.authorize,
      access_url: POSTERN_URL + wire.access,
      key: CLIENT_ID,
      secret: CLIENT_SECRET,
      redirect_uri: REDIRECT_URL,
      scope: wire.scope ?? ['candidates.read', 'jobs.read'],
      scope_delimiter: wire.delimiter,
    },
  },
  session: { secret: 'a secret of the site, for its own cookies' },
});

const site = createServer(async (req, res) => {
  req.query = new URL(req.url, 'http://site').search.slice(1); // as the platform gives it
  const { redirect, response } = await handle(req, res);
  if (!redirect) res.end(JSON.stringify(response));
});
await new Promise((listening) => site.listen(0, '127.0.0.1', listening));

// connect is one visit of a browser, from the button to the callback.
async function connect(answer) {
  const jar = [];
  const visit = async (path) => {
    const response = await fetch(`http://127.0.0.1:${site.address().port}${path}`, { redirect: 'manual', headers: { cookie: jar.join('; ') } });
    jar.push(...response.headers.getSetCookie().map((c) => c.split(';')[0]));
    return response;
  };
  const start = await visit('/connect/postern');
  const back = await answer(start.headers.get('location'));
  return (await visit('/connect/postern/callback' + back.search)).json();
}

const connected = await connect(allow);
assert.ok(connected.access_token, JSON.stringify(connected));
assert.ok(connected.refresh_token);
did('code with PKCE and state');

const denied = await connect(deny);
assert.equal(denied.error, 'access_denied', JSON.stringify(denied));
did('a denial');

site.close();
finish();
