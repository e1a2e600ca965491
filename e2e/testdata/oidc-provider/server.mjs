// A real OpenID Connect provider for the end-to-end tests. It prints its issuer in one line when it answers.
// The folder E2E_FOLDER holds people.json, and redirects.json: the exact redirect URIs of the one client, read at every sign-in,
// because Drawbridge makes the redirect URI only when it knows the client. It may hold client.json too: more of the client's registration, read at the start.
// The signing key is kept in keys.json and made when that is missing, so that a start without the file is a new key at the same issuer (E2E_PORT).
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { Provider } from 'oidc-provider';

const file = (name) => join(process.env.E2E_FOLDER, name);
const read = (name) => JSON.parse(readFileSync(file(name), 'utf8'));

function signingKeys() {
  if (!existsSync(file('keys.json'))) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
    writeFileSync(file('keys.json'), JSON.stringify({ keys: [key] }), { mode: 0o600 });
  }
  return read('keys.json');
}

// The development pages accept any password, and the login that is typed there is the account's id, which becomes the subject.
function findAccount(ctx, id) {
  const person = read('people.json').find((p) => p.subject === id);
  if (!person) return undefined;
  return {
    accountId: id,
    claims: () => ({
      sub: id,
      email: person.email,
      email_verified: person.email_verified,
      given_name: person.given_name,
      family_name: person.family_name,
      name: `${person.given_name} ${person.family_name}`,
    }),
  };
}

const server = createServer();
server.listen(Number(process.env.E2E_PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'drawbridge',
      client_secret: process.env.E2E_CLIENT_SECRET,
      redirect_uris: ['https://replaced-by-redirects-json.invalid/'],
      ...(existsSync(file('client.json')) ? read('client.json') : {}),
    }],
    jwks: signingKeys(),
    features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    // Drawbridge listens on this machine, which the provider's own guard against private addresses refuses.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'name'] },
    conformIdTokenClaims: false, // e-mail and name stand in the ID token itself, as at most providers
    findAccount,
    pkce: { required: () => true },
    cookies: { keys: [process.env.E2E_CLIENT_SECRET] },
  });
  provider.Client.prototype.redirectUriAllowed = (uri) => read('redirects.json').includes(uri);
  provider.on('server_error', (ctx, error) => console.error(error));
  provider.on('grant.error', (ctx, error) => console.error(error.error, error.error_detail));
  provider.on('backchannel.success', () => console.log('backchannel.success'));
  provider.on('backchannel.error', (ctx, error) => console.error('backchannel.error', error.message));
  server.on('request', provider.callback());
  console.log(issuer);
});
