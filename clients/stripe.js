// stripe: the secret as bearer token and no client_id, refresh, and an account
// that is deauthorized by its id.
import assert from 'node:assert/strict';
import Stripe from 'stripe';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const server = new URL(POSTERN_URL);
const speaking = (key) => new Stripe(key, { host: server.hostname, port: server.port, protocol: 'http', maxNetworkRetries: 0 });
const stripe = speaking(CLIENT_SECRET);

// The client's authorize URL knows no port and no http: what it says is in the rest.
const link = new URL(stripe.oauth.authorizeUrl({ client_id: CLIENT_ID, redirect_uri: REDIRECT_URL, scope: 'read_write', state: 'S1', stripe_user: { email: 'ada@acme.test' } }));
const url = POSTERN_URL + link.pathname + link.search;

const back = await allow(url);
assert.equal(back.searchParams.get('state'), 'S1');
assert.equal(back.searchParams.get('scope'), 'read_write');
const code = back.searchParams.get('code');
await assert.rejects(speaking('sk_test_wrong_0123456789').oauth.token({ grant_type: 'authorization_code', code }), { type: 'StripeInvalidClientError' });
did('a wrong secret');

const connected = await stripe.oauth.token({ grant_type: 'authorization_code', code });
assert.equal(connected.scope, 'read_write');
assert.equal(connected.livemode, false);
assert.ok(connected.stripe_user_id);
did('code, named by the secret');

assert.equal((await speaking(connected.access_token).accounts.retrieve()).id, connected.stripe_user_id);
did('the test call');

const refreshed = await stripe.oauth.token({ grant_type: 'refresh_token', refresh_token: connected.refresh_token });
assert.notEqual(refreshed.access_token, connected.access_token);
assert.equal(refreshed.refresh_token, connected.refresh_token);
did('refresh');

const ended = await stripe.oauth.deauthorize({ client_id: CLIENT_ID, stripe_user_id: connected.stripe_user_id });
assert.equal(ended.stripe_user_id, connected.stripe_user_id);
await assert.rejects(speaking(refreshed.access_token).accounts.retrieve(), { statusCode: 401 });
await assert.rejects(stripe.oauth.token({ grant_type: 'refresh_token', refresh_token: connected.refresh_token }), { type: 'StripeInvalidGrantError' });
await assert.rejects(stripe.oauth.deauthorize({ client_id: CLIENT_ID, stripe_user_id: connected.stripe_user_id }), { type: 'StripeInvalidClientError' });
did('deauthorize by account id');

await assert.rejects(stripe.oauth.token({ grant_type: 'authorization_code', code }), { type: 'StripeInvalidGrantError' });
did('a code used twice');

assert.equal((await deny(url)).searchParams.get('error'), 'access_denied');
did('a denial');
finish();
