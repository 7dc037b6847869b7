// @notionhq/client: Basic with a JSON body, introspection, refresh, revocation,
// and a version header with every call.
import assert from 'node:assert/strict';
import { Client, LogLevel } from '@notionhq/client';
import { allow, deny, did, finish, POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL } from './browser.js';

const speaking = (auth) => new Client({ auth, baseUrl: `${POSTERN_URL}/notion`, logLevel: LogLevel.ERROR });
const notion = speaking();
const app = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };

const url = new URL(`${POSTERN_URL}/notion/v1/oauth/authorize`);
url.search = new URLSearchParams({ client_id: CLIENT_ID, redirect_uri: REDIRECT_URL, response_type: 'code', owner: 'user', state: 'S1' });

const back = await allow(url);
assert.equal(back.searchParams.get('state'), 'S1');
const grant = { grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri: REDIRECT_URL };
await assert.rejects(notion.oauth.token({ ...app, client_secret: 'wrong', ...grant }), { status: 401 });
did('a wrong secret');

const connected = await notion.oauth.token({ ...app, ...grant });
assert.equal(connected.token_type, 'bearer');
assert.equal(connected.workspace_name, 'Acme');
assert.equal(connected.owner.user.person.email, 'ada@acme.test');
did('code');

const me = await speaking(connected.access_token).users.me({});
assert.equal(me.type, 'bot');
assert.equal(me.id, connected.bot_id);
did('the test call');

assert.equal((await notion.oauth.introspect({ ...app, token: connected.access_token })).active, true);
did('introspection');

const refreshed = await notion.oauth.token({ ...app, grant_type: 'refresh_token', refresh_token: connected.refresh_token });
assert.notEqual(refreshed.access_token, connected.access_token);
assert.notEqual(refreshed.refresh_token, connected.refresh_token);
assert.equal(refreshed.bot_id, connected.bot_id);
did('refresh');

assert.ok((await notion.oauth.revoke({ ...app, token: refreshed.access_token })).request_id);
await assert.rejects(speaking(refreshed.access_token).users.me({}), { code: 'unauthorized', status: 401 });
assert.equal((await notion.oauth.introspect({ ...app, token: refreshed.access_token })).active, false);
did('revocation');

await assert.rejects(notion.oauth.token({ ...app, ...grant }), { status: 400 });
did('a code used twice');

assert.equal((await deny(url)).searchParams.get('error'), 'access_denied');
did('a denial');
finish();
