// An OpenID Connect provider for tests: whoever types a name of the file of people is that person.
// node oidc_provider.mjs PORT REDIRECT_URI PEOPLE.json, beside an installed oidc-provider.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [port, redirectUri, people] = process.argv.slice(2);
const { resolve } = createRequire(process.env.NODE_FOLDER + '/');
const { default: Provider } = await import(pathToFileURL(resolve('oidc-provider')));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'mop',
    client_secret: 'secret-of-mop',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  claims: {
    openid: ['sub', 'roles', 'groups'],
    email: ['email', 'email_verified'],
    profile: ['preferred_username', 'given_name', 'family_name'],
  },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ['of-a-test'] },
  // read anew each time: a test changes what the provider says of a person
  findAccount: async (_context, id) => {
    const claims = JSON.parse(readFileSync(people, 'utf8'))[id];
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
});
provider.listen(Number(port), '127.0.0.1');
