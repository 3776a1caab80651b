// A real OpenID provider for the tests (panva oidc-provider): one realm, told on standard input as JSON.
// Its sign-in page asks who somebody says they are, and at which level and by which methods they were proven.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { issuer, port, client, accounts, inToken, acrs } = JSON.parse(Buffer.concat(chunks).toString());

const names = [...new Set(accounts.flatMap((account) => Object.keys(account)))].filter((name) => name !== 'id');
const provider = new Provider(issuer, {
  clients: [client],
  acrValues: acrs,
  claims: { openid: ['sub', 'acr', 'amr', ...(inToken ? names : [])], profile: inToken ? [] : names, auth_time: null, sid: null },
  conformIdTokenClaims: !inToken,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>out</title>${form.replace('</form>', '<button name="logout" value="yes">Sign out</button></form>')}`;
      },
    },
  },
  enableHttpPostMethods: true, // OpenID Connect RP-Initiated Logout 1.0, 2: both methods must be supported
  cookies: { keys: ['not a secret'], long: { sameSite: 'none' } },
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }), // Kho is on loopback, like all of this
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => {
    const account = accounts.find((one) => one.id === id);
    return account && { accountId: id, claims: () => ({ ...account, id: undefined, sub: id }) };
  },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});
provider.on('server_error', (ctx, error) => console.error(error));

const page = (uid) => `<!doctype html><html lang="en"><title>Provider</title><main><h1>Provider</h1>
<form method="post" action="/interaction/${uid}">
<label>Account <input name="account"></label><label>Level <input name="acr"></label>
<label>Methods <input name="amr"></label>
<button name="go" value="yes">Sign in</button><button name="go" value="no">Cancel</button></form></main></html>`;

const body = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
};

const serve = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return serve(request, response);
  try {
    const { uid } = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      response.setHeader('Content-Type', 'text/html');
      return response.end(page(uid));
    }
    const form = await body(request);
    const result = form.get('go') === 'no'
      ? { error: 'access_denied' }
      : {
        login: {
          accountId: form.get('account'),
          acr: form.get('acr') || undefined,
          amr: form.get('amr') ? form.get('amr').split(' ') : undefined,
        },
      };
    return await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    return response.end();
  }
}).listen(port, '127.0.0.1', () => console.log('listening'));
