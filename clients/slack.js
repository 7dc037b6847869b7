// @slack/oauth with @slack/web-api underneath: bot and user scopes, the nested
// answer, auth.test, auth.revoke, and errors with status 200.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { InstallProvider, LogLevel } from '@slack/oauth';
import { WebClient } from '@slack/web-api';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const clientOptions = { slackApiUrl: `${POSTERN_URL}/slack/api/`, logLevel: LogLevel.ERROR, retryConfig: { retries: 0 } };
const installer = new InstallProvider({
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  stateSecret: 'a secret of the site, for its own states',
  authorizationUrl: `${POSTERN_URL}/slack/oauth/v2/authorize`,
  clientOptions,
  logLevel: LogLevel.ERROR,
  directInstall: true,
  installUrlOptions: { scopes: ['chat:write', 'channels:read'], userScopes: ['search:read'], redirectUri: REDIRECT_URL },
});

const site = createServer((req, res) => {
  if (req.url === '/install') return installer.handleInstallPath(req, res);
  return installer.handleCallback(req, res, {
    success: (installation, _, __, answer) => answer.end(JSON.stringify(installation)),
    failure: (error, _, __, answer) => answer.end(JSON.stringify({ error: error.code, says: error.message })),
  });
});
await new Promise((listening) => site.listen(0, '127.0.0.1', listening));

// connect is one visit of a browser, from the button to the callback.
async function connect(answer) {
  const here = `http://127.0.0.1:${site.address().port}`;
  const start = await fetch(`${here}/install`, { redirect: 'manual' });
  const cookie = start.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const back = await answer(start.headers.get('location'));
  return (await fetch(`${here}/callback${back.search}`, { headers: { cookie } })).json();
}

const denied = await connect(deny);
assert.match(JSON.stringify(denied), /access_denied|slack_oauth_/);
assert.ok(!denied.bot);
did('a denial');

const installed = await connect(allow);
assert.equal(installed.team?.name, 'Acme', JSON.stringify(installed));
assert.deepEqual(installed.bot.scopes, ['chat:write', 'channels:read']);
assert.deepEqual(installed.user.scopes, ['search:read']);
assert.equal(installed.bot.userId, 'U0BOT');
assert.equal(installed.bot.id, 'B0BOT');
did('code with bot and user scopes; auth.test');

const { botToken, userToken } = await installer.authorize({ teamId: installed.team.id, userId: installed.user.id, isEnterpriseInstall: false });
const bot = new WebClient(botToken, clientOptions);
const user = new WebClient(userToken, clientOptions);
assert.equal((await user.auth.test()).user_id, installed.user.id);
did('auth.test with the token of the person');

const dead = (e) => e.data?.error === 'invalid_auth';
assert.equal((await user.auth.revoke()).revoked, true);
await assert.rejects(user.auth.test(), dead);
assert.equal((await bot.auth.test()).team_id, installed.team.id);
assert.equal((await bot.auth.revoke()).revoked, true);
await assert.rejects(bot.auth.test(), dead);
did('auth.revoke, of each alone');

await assert.rejects(new WebClient(undefined, clientOptions).oauth.v2.access({ client_id: CLIENT_ID, client_secret: 'wrong', code: 'x' }),
  (e) => e.data?.error === 'bad_client_secret');
did('a wrong secret');

site.close();
finish();
