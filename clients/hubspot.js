// @hubspot/api-client: forms, tokens looked up in the path, and a DELETE of the
// refresh token.
import assert from 'node:assert/strict';
import { Client } from '@hubspot/api-client';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const { oauth } = new Client({ basePath: `${POSTERN_URL}/hubspot` });
const fails = (code, word) => (e) => e.code === code && JSON.stringify(e.body).includes(word);

// The client's authorize URL has a fixed host: what it says is in the rest.
const link = new URL(oauth.getAuthorizationUrl(CLIENT_ID, REDIRECT_URL, 'oauth crm.objects.contacts.read', undefined, 'S1'));
const url = `${POSTERN_URL}/hubspot${link.pathname}${link.search}`;

const back = await allow(url);
assert.equal(back.searchParams.get('state'), 'S1');
const code = back.searchParams.get('code');
await assert.rejects(oauth.tokensApi.create('authorization_code', code, REDIRECT_URL, CLIENT_ID, 'wrong'), fails(400, ''));
did('a wrong secret');

const connected = await oauth.tokensApi.create('authorization_code', code, REDIRECT_URL, CLIENT_ID, CLIENT_SECRET);
assert.equal(connected.tokenType, 'bearer');
assert.equal(connected.expiresIn, 1800);
did('code');

const info = await oauth.accessTokensApi.get(connected.accessToken);
assert.equal(info.user, 'ada@acme.test');
assert.deepEqual(info.scopes, ['oauth', 'crm.objects.contacts.read']);
assert.ok(info.hubId > 0);
did('look-up of a token');

const held = await oauth.refreshTokensApi.get(connected.refreshToken);
assert.equal(held.clientId, CLIENT_ID);
assert.equal(held.hubId, info.hubId);
assert.equal(held.tokenType, 'refresh');
did('look-up of a refresh token');

const refreshed = await oauth.tokensApi.create('refresh_token', undefined, undefined, CLIENT_ID, CLIENT_SECRET, connected.refreshToken);
assert.notEqual(refreshed.accessToken, connected.accessToken);
assert.equal(refreshed.refreshToken, connected.refreshToken);
did('refresh');

await oauth.refreshTokensApi.archive(connected.refreshToken);
await assert.rejects(oauth.accessTokensApi.get(refreshed.accessToken), fails(404, ''));
await assert.rejects(oauth.tokensApi.create('refresh_token', undefined, undefined, CLIENT_ID, CLIENT_SECRET, connected.refreshToken), fails(400, ''));
did('deletion of the refresh token');

assert.equal((await deny(url)).searchParams.get('error'), 'access_denied');
did('a denial');
finish();
