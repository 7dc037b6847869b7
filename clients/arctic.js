// arctic's class for a self-hosted GitLab, whose paths are ours too.
import assert from 'node:assert/strict';
import { GitLab, OAuth2RequestError, generateState } from 'arctic';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const client = new GitLab(POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL);
const state = generateState();
const ask = client.createAuthorizationURL(state, ['candidates.read', 'jobs.read']);

const back = await allow(ask);
assert.equal(back.searchParams.get('state'), state);
const code = back.searchParams.get('code');
const tokens = await client.validateAuthorizationCode(code);
assert.ok(tokens.accessToken());
assert.deepEqual(tokens.scopes(), ['candidates.read', 'jobs.read']);
assert.ok(tokens.accessTokenExpiresInSeconds() > 0);
did('code (secret by Basic)');

const fresh = await client.refreshAccessToken(tokens.refreshToken());
assert.notEqual(fresh.accessToken(), tokens.accessToken());
assert.ok(fresh.hasRefreshToken());
did('refresh');

await client.revokeToken(fresh.refreshToken());
await assert.rejects(client.refreshAccessToken(fresh.refreshToken()), (e) => e instanceof OAuth2RequestError && e.code === 'invalid_grant');
did('revocation');

assert.equal((await deny(ask)).searchParams.get('error'), 'access_denied');
did('a denial');
finish();
