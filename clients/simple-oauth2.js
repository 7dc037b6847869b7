// simple-oauth2: form or JSON, secret by header or body, and a revoke() that
// wants JSON back.
import assert from 'node:assert/strict';
import { AuthorizationCode } from 'simple-oauth2';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

// What a partner writes down for each wire.
const wires = {
  standard: {
    auth: { authorizePath: '/oauth/authorize', tokenPath: '/oauth/token', revokePath: '/oauth/revoke' },
    options: [
      { bodyFormat: 'form', authorizationMethod: 'header' },
      { bodyFormat: 'form', authorizationMethod: 'body' },
    ],
    scope: ['candidates.read', 'jobs.read'],
  },
  xeebo: {
    auth: { authorizePath: '/xeebo/oauth/authorize', tokenPath: '/xeebo/oauth/token', revokePath: '/xeebo/oauth/revoke' },
    options: [
      { bodyFormat: 'json', authorizationMethod: 'body', scopeSeparator: ',' },
      { bodyFormat: 'form', authorizationMethod: 'body', scopeSeparator: ',' },
      { bodyFormat: 'form', authorizationMethod: 'header' },
    ],
    scope: ['candidates.read', 'jobs.read'],
  },
  xref: {
    auth: { authorizePath: `/oauth/open-api/${CLIENT_ID}`, tokenPath: '/oauth/tokens' },
    options: [
      { bodyFormat: 'json', authorizationMethod: 'body' },
      { bodyFormat: 'json', authorizationMethod: 'header' },
      { bodyFormat: 'form', authorizationMethod: 'body' },
    ],
  },
};

const wire = wires[process.env.DIALECT];
for (const options of wire.options) {
  const client = new AuthorizationCode({
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    auth: { tokenHost: POSTERN_URL, ...wire.auth },
    options,
  });
  const how = `${options.bodyFormat}, secret by ${options.authorizationMethod}`;
  const ask = { redirect_uri: REDIRECT_URL, scope: wire.scope, state: 'a state & more' };

  const back = await allow(client.authorizeURL(ask));
  assert.equal(back.searchParams.get('state'), ask.state);
  const code = back.searchParams.get('code');
  let token = await client.getToken({ code, redirect_uri: REDIRECT_URL });
  assert.ok(token.token.access_token);
  did(`code (${how})`);

  if (token.token.refresh_token) {
    assert.equal(token.token.expires_in, 3600);
    assert.equal(token.expired(), false);
    const first = token.token;
    token = await token.refresh();
    assert.notEqual(token.token.access_token, first.access_token);
    assert.ok(token.token.refresh_token);
    did('refresh');

    await token.revokeAll();
    await assert.rejects(token.refresh(), refusal(400, 'invalid_grant'));
    did('revokeAll');
  }

  await assert.rejects(client.getToken({ code, redirect_uri: REDIRECT_URL }), refusal(400, 'invalid_grant'));
  did('a code used twice');

  const denied = await deny(client.authorizeURL(ask));
  assert.equal(denied.searchParams.get('error'), 'access_denied');
  assert.equal(denied.searchParams.get('state'), ask.state);
  did('a denial');
}
finish();

// refusal matches how the client tells an error: the status, and the body that
// it could read as JSON.
function refusal(status, error) {
  return (e) => e.output.statusCode === status && e.data.payload.error === error;
}
