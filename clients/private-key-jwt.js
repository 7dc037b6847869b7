// openid-client 6, for an app that has no secret: it signs each request to
// the server with a key of its own (private_key_jwt), in each way that the
// metadata names.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { allow, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const algorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
};

const discover = (auth) =>
  client.discovery(new URL(POSTERN_URL), CLIENT_ID, undefined, auth, { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });

const importing = async (jwk) => ({
  key: await crypto.subtle.importKey('jwk', jwk, algorithms[jwk.alg], false, ['sign']),
  kid: jwk.kid,
});

async function connect(config) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URL,
    scope: 'candidates.read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  return client.authorizationCodeGrant(config, await allow(url), { pkceCodeVerifier, expectedState });
}

const keys = JSON.parse(CLIENT_SECRET);
for (const jwk of keys) {
  const config = await discover(client.PrivateKeyJwt(await importing(jwk)));
  const says = config.serverMetadata();
  assert.ok(says.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
  assert.ok(says.token_endpoint_auth_signing_alg_values_supported.includes(jwk.alg));

  const tokens = await connect(config);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, true);
  await client.tokenRevocation(config, refreshed.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false);
  did(`code, refresh, introspection and revocation (private_key_jwt, ${jwk.alg})`);
}

const refused = (e) => /invalid_client|401/.test(`${e.error} ${e.cause?.error} ${e.status} ${e.message}`);
const same = { [client.modifyAssertion]: (header, claims) => { claims.jti = 'the same again'; } };
const again = await discover(client.PrivateKeyJwt(await importing(keys[0]), same));
const tokens = await connect(again);
await assert.rejects(client.refreshTokenGrant(again, tokens.refresh_token), refused);
did('an assertion of a jti that was used');

const { privateKey } = await crypto.subtle.generateKey(algorithms.ES256, false, ['sign', 'verify']);
const stranger = await discover(client.PrivateKeyJwt(privateKey));
await assert.rejects(client.refreshTokenGrant(stranger, tokens.refresh_token), refused);
did('an assertion signed with a key that is not registered');

finish();
