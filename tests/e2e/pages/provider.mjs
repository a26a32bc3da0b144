// An OpenID provider for the tests: `node provider.mjs PORT REDIRECT`. Every sign-in succeeds as the user it names.

import { createRequire } from "node:module";

const [port, redirect] = process.argv.slice(2);
const require = createRequire(new URL("../../../frontend/package.json", import.meta.url));
const { default: Provider } = await import(require.resolve("oidc-provider"));
const SCOPES = "timeline:read timeline:write";

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "satchel-pages",
      redirect_uris: [redirect],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  scopes: ["openid", ...SCOPES.split(" ")],
  clientBasedCORS: () => true,
  ttl: { AccessToken: 3600 },
  features: {
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPES,
        audience: "satchel",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  extraTokenClaims: () => ({ org: "signedin" }),
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
provider.listen(Number(port), "127.0.0.1");
