// @shopify/shopify-api: the shop's own host, a callback whose signature the client
// checks, JSON, tokens that expire and their refresh, a header of its own.
import './hosts.js';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { allow, deny, did, finish, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const shop = 'acme.myshopify.com';
const callback = new URL(REDIRECT_URL);
const shopify = shopifyApi({
  apiKey: CLIENT_ID,
  apiSecretKey: CLIENT_SECRET,
  scopes: ['read_products', 'write_orders'],
  hostName: callback.host,
  apiVersion: ApiVersion.Unstable,
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});

// The partner's site: the button, and the callback, which answers with what the
// client made of it.
let expiring = false;
const site = createServer(async (rawRequest, rawResponse) => {
  if (rawRequest.url === '/connect') {
    await shopify.auth.begin({ shop, callbackPath: callback.pathname, isOnline: false, rawRequest, rawResponse });
    return;
  }
  const connected = await shopify.auth.callback({ expiring, rawRequest, rawResponse }).catch((error) => ({ error: error.constructor.name }));
  rawResponse.end(JSON.stringify(connected));
});
await new Promise((listening) => site.listen(0, '127.0.0.1', listening));
const visit = (path, cookie = '') =>
  fetch(`http://127.0.0.1:${site.address().port}${path}`, { redirect: 'manual', headers: { cookie, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' } });

async function connect(answer, changed = (query) => query) {
  const start = await visit('/connect');
  const cookie = start.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const back = await answer(start.headers.get('location'));
  assert.equal(back.searchParams.get('shop'), shop);
  return (await visit(callback.pathname + changed(back.search), cookie)).json();
}
const calls = (session) => new shopify.clients.Rest({ session }).get({ path: 'shop' });
const status = (code) => (e) => e.response?.code === code;

const denied = await connect(async (url) => {
  const back = await deny(url);
  assert.equal(back.searchParams.get('error'), 'access_denied');
  return back;
});
assert.ok(!denied.session);
did('a denial');

const { session, error } = await connect(allow);
assert.equal(error, undefined);
assert.equal(session.shop, shop);
assert.equal(session.scope, 'read_products,write_orders');
assert.match(session.accessToken, /^shpat_/);
did('code with a signed callback');

assert.equal((await connect(allow, (query) => query.replace(/code=[^&]*/, 'code=another'))).error, 'InvalidOAuthError');
did('a callback that was changed');

assert.equal((await calls(session)).body.shop.myshopify_domain, shop);
did('the test call');

expiring = true;
const expires = (await connect(allow)).session;
assert.ok(expires.refreshToken);
const refreshed = (await shopify.auth.refreshToken({ shop, refreshToken: expires.refreshToken })).session;
assert.notEqual(refreshed.accessToken, expires.accessToken);
assert.ok(refreshed.refreshToken);
await calls(refreshed);
did('a token that expires; refresh');

const ended = await fetch(`https://${shop}/admin/api_permissions/current.json`, { method: 'DELETE', headers: { 'X-Shopify-Access-Token': session.accessToken } });
assert.equal(ended.status, 200);
await assert.rejects(calls(session), status(401));
await assert.rejects(calls(refreshed), status(401));
did('uninstalled: 401');

site.close();
finish();
