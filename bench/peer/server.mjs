// node-oidc-provider as a peer to measure beside: everything in memory, opaque
// tokens, rotating refresh tokens, one client. GET /make?n=N gives codes as an
// approval would.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [port, clientID, secret, callback] = process.argv.slice(2);

// The provider's own adapter keeps a thousand objects; this one keeps them all.
const objects = new Map();
const grants = new Map();
class Memory {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload) {
    objects.set(this.key(id), payload);
    if (payload.grantId) {
      const of = grants.get(payload.grantId);
      if (of) of.push(this.key(id)); else grants.set(payload.grantId, [this.key(id)]);
    }
  }
  async find(id) { return objects.get(this.key(id)); }
  async findByUid() { return undefined; }
  async findByUserCode() { return undefined; }
  async consume(id) { objects.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { objects.delete(this.key(id)); }
  async revokeByGrantId(id) {
    for (const key of grants.get(id) ?? []) objects.delete(key);
    grants.delete(id);
  }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: Memory,
  clients: [{
    client_id: clientID, client_secret: secret, redirect_uris: [callback], response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  scopes: ['read', 'offline_access'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
  pkce: { required: () => false },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ['only for the bench'] },
});

async function make(client, i) {
  const accountId = `account${i}`;
  const grant = new provider.Grant({ clientId: clientID, accountId });
  grant.addOIDCScope('read offline_access');
  const grantId = await grant.save();
  const code = new provider.AuthorizationCode({
    accountId, client, grantId, gty: 'authorization_code', redirectUri: callback,
    scope: 'read offline_access', authTime: Math.floor(Date.now() / 1000),
  });
  return code.save();
}

const answer = provider.callback();
createServer(async (req, res) => {
  const url = new URL(req.url, 'http://127.0.0.1');
  if (url.pathname !== '/make') return answer(req, res);
  const client = await provider.Client.find(clientID);
  const codes = [];
  for (let i = 0; i < Number(url.searchParams.get('n')); i++) codes.push(await make(client, i));
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify(codes));
}).listen(Number(port), '127.0.0.1');
