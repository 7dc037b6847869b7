// openid-client 6 against the standard dialect: it reads the metadata, and is
// strict about every answer.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL, API_ID, API_SECRET } from './browser.js';

const discover = (id, secret, auth) =>
  client.discovery(new URL(POSTERN_URL), id, secret, auth, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests], // the server is on this machine, without TLS
  });

async function connect(config) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URL,
    scope: 'candidates.read jobs.read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  return client.authorizationCodeGrant(config, await allow(url), { pkceCodeVerifier, expectedState });
}

for (const [name, auth] of Object.entries({ body: client.ClientSecretPost, Basic: client.ClientSecretBasic })) {
  const config = await discover(CLIENT_ID, CLIENT_SECRET, auth(CLIENT_SECRET));
  did('discovery');

  const tokens = await connect(config);
  assert.equal(tokens.token_type, 'bearer');
  assert.equal(tokens.scope, 'candidates.read jobs.read');
  assert.equal(tokens.expires_in, 3600);
  did(`code with PKCE, state and iss (secret by ${name})`);

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: 'jobs.read' });
  assert.notEqual(refreshed.access_token, tokens.access_token);
  assert.ok(refreshed.refresh_token);
  assert.equal(refreshed.scope, 'jobs.read');
  did('refresh with fewer scopes');

  const before = await client.tokenIntrospection(config, refreshed.access_token);
  assert.equal(before.active, true);
  assert.equal(before.client_id, CLIENT_ID);
  assert.equal(before.scope, 'jobs.read');
  did('introspection by the app');

  const api = await discover(API_ID, API_SECRET, auth(API_SECRET));
  assert.equal((await client.tokenIntrospection(api, refreshed.access_token)).active, true);
  did('introspection by an API');

  await client.tokenRevocation(config, refreshed.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false);
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });
  did('revocation');
}

const config = await discover(CLIENT_ID, CLIENT_SECRET, client.ClientSecretBasic(CLIENT_SECRET));
const state = client.randomState();
const refused = await deny(client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT_URL, scope: 'jobs.read', state }));
await assert.rejects(client.authorizationCodeGrant(config, refused, { expectedState: state }), { error: 'access_denied' });
did('a denial');

const wrong = await discover(CLIENT_ID, 'not-the-secret', client.ClientSecretBasic('not-the-secret'));
await assert.rejects(client.refreshTokenGrant(wrong, 'whatever'), (e) => /invalid_client|challenge|401/i.test(`${e.error} ${e.code} ${e.message}`));
did('a wrong secret');

finish();
