// @octokit/oauth-methods: JSON without a grant_type, errors with status 200, and
// a token looked up and deleted by its app; at github.com's paths and at those
// of a server of one's own.
import assert from 'node:assert/strict';
import { request } from '@octokit/request';
import { checkToken, deleteAuthorization, deleteToken, exchangeWebFlowCode, getWebFlowAuthorizationUrl } from '@octokit/oauth-methods';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const says = (word) => (e) => e.message.includes(word);
const status = (code) => (e) => e.status === code;

for (const api of ['', '/api/v3']) {
  const app = {
    clientType: 'oauth-app',
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUrl: REDIRECT_URL,
    request: request.defaults({ baseUrl: `${POSTERN_URL}/github${api}` }),
  };
  const { url } = getWebFlowAuthorizationUrl({ ...app, scopes: ['repo', 'read:user'], state: 'the state' });

  const back = await allow(url);
  assert.equal(back.searchParams.get('state'), 'the state');
  const code = back.searchParams.get('code');
  await assert.rejects(exchangeWebFlowCode({ ...app, clientSecret: 'wrong', code }), says('incorrect_client_credentials'));
  did('a wrong secret');

  const { token } = (await exchangeWebFlowCode({ ...app, code })).authentication;
  assert.match(token, /^gho_/);
  did('code');

  const me = await app.request('GET /user', { headers: { authorization: `token ${token}` } });
  assert.equal(me.data.login, 'ada');
  assert.equal(me.headers['x-oauth-scopes'], 'repo,read:user');
  did('the test call');

  const checked = await checkToken({ ...app, token });
  assert.deepEqual(checked.authentication.scopes, ['repo', 'read:user']);
  assert.equal(checked.data.user.login, 'ada');
  did('check of a token');

  await deleteToken({ ...app, token });
  await assert.rejects(checkToken({ ...app, token }), status(404));
  did('deletion of a token');

  await assert.rejects(exchangeWebFlowCode({ ...app, code }), says('bad_verification_code'));
  did('a code used twice');

  const again = await exchangeWebFlowCode({ ...app, code: (await allow(url)).searchParams.get('code') });
  await deleteAuthorization({ ...app, token: again.authentication.token });
  await assert.rejects(app.request('GET /user', { headers: { authorization: `token ${again.authentication.token}` } }), status(401));
  did('deletion of the grant');

  assert.equal((await deny(url)).searchParams.get('error'), 'access_denied');
  did('a denial');
}
finish();
