// oauth4webapi as an app, and as an API that reads signed access tokens itself
// (RFC 9068); jose, which reads them too, with nothing but the key set.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { allow, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL, API_ID } from './browser.js';

const here = { [oauth.allowInsecureRequests]: true }; // the server is on this machine, without TLS
const client = { client_id: CLIENT_ID };
const auth = oauth.ClientSecretBasic(CLIENT_SECRET);
const issuer = new URL(POSTERN_URL);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...here }));

async function connect() {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID, redirect_uri: REDIRECT_URL, response_type: 'code', scope: 'candidates.read jobs.read', state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const back = oauth.validateAuthResponse(as, client, await allow(url), state);
  const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, back, REDIRECT_URL, verifier, here);
  return oauth.processAuthorizationCodeResponse(as, client, answer);
}

const call = (token) => new Request('https://api.test/candidates', { headers: { authorization: `Bearer ${token}` } });
const read = (token, audience = API_ID) => oauth.validateJwtAccessToken(as, call(token), audience, here);

const tokens = await connect();
const said = await read(tokens.access_token);
assert.equal(said.client_id, CLIENT_ID);
assert.equal(said.scope, 'candidates.read jobs.read');
assert.equal(said.exp - said.iat, 3600);
assert.ok(said.jti && said.sub && said.account_id && said.connection_id);
did('a signed token with all claims of RFC 9068');

await assert.rejects(read(tokens.access_token, 'another-api'));
const [header, payload, signature] = tokens.access_token.split('.');
const more = Buffer.from(JSON.stringify({ ...said, scope: 'candidates.write' })).toString('base64url');
const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
for (const forged of [`${header}.${more}.${signature}`, `${none}.${payload}.`, `${none}.${payload}.${signature}`]) {
  await assert.rejects(read(forged));
}
did('another audience, other claims and no signature are refused');

const keys = createRemoteJWKSet(new URL(as.jwks_uri));
const { protectedHeader } = await jwtVerify(tokens.access_token, keys, {
  issuer: as.issuer, audience: API_ID, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'jti', 'client_id', 'iat', 'exp'],
});
assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
did('jose, by the key set');

const refresh = async (token) =>
  oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, here));
const refreshed = await refresh(tokens.refresh_token);
assert.notEqual((await read(refreshed.access_token)).jti, said.jti);
const again = await refresh(tokens.refresh_token);
assert.equal(again.access_token, refreshed.access_token);
assert.equal(again.refresh_token, refreshed.refresh_token);
did('refresh, and the same answer on a retry');

const active = async (token) =>
  (await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, here))).active;
assert.equal(await active(refreshed.access_token), true);
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, refreshed.refresh_token, here));
assert.equal(await active(refreshed.access_token), false);
await read(refreshed.access_token); // who only reads it does not hear of that
did('revocation, which introspection knows');
finish();
