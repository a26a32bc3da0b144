// Sign-in by OpenID Connect: the code flow with PKCE (RFC 7636), where an installation has an issuer.
// State and verifier are in the session storage while the reader is at the provider; a token never is.

import { dropped, random, sha256, text64 } from "./random";

export interface Provider {
  issuer: string;
  client_id: string;
  scope: string;
  /** What the access token is for (RFC 8707); not every provider needs it. */
  resource: string | null;
  claims: { account: string; person: string; scope: string };
}

interface Endpoints {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
}

interface Started {
  state: string;
  verifier: string;
  path: string;
}

interface Granted {
  access_token: string;
  refresh_token?: string;
}

/** The provider, or a page that claims to be it, refused the sign-in. */
export class Refused extends Error {}

const STARTED = "satchel.sign-in";
const HERE = () => `${location.origin}/app/`;

export class SignIn {
  #endpoints: Promise<Endpoints> | undefined;
  #refresh: string | undefined;

  constructor(private readonly provider: Provider) {}

  /** Leaves for the provider; it comes back to `/app/`, and from there to where the reader was. */
  async leave(path: string): Promise<never> {
    const { authorization_endpoint } = await this.#discovered();
    const started: Started = { state: random(), verifier: random(), path };
    sessionStorage.setItem(STARTED, JSON.stringify(started));
    const asked = new URL(authorization_endpoint);
    const params: Record<string, string> = {
      response_type: "code",
      client_id: this.provider.client_id,
      redirect_uri: HERE(),
      scope: this.provider.scope,
      state: started.state,
      code_challenge: text64(await sha256(started.verifier)),
      code_challenge_method: "S256",
      ...(this.provider.resource && { resource: this.provider.resource }),
    };
    for (const [name, value] of Object.entries(params)) asked.searchParams.set(name, value);
    location.assign(asked);
    return new Promise<never>(() => undefined);
  }

  /** Returns the token that an answer in the address is good for; undefined without an answer. */
  async arrive(): Promise<string | undefined> {
    const answer = new URLSearchParams(location.search);
    const state = answer.get("state");
    if (!state || !(answer.has("code") || answer.has("error"))) return undefined;
    const started = dropped<Started>(STARTED);
    const isOurs = started !== undefined && started.state === state;
    history.replaceState(null, "", isOurs ? started.path : HERE());
    if (!isOurs) throw new Refused("the answer is to no question of this page");
    const code = answer.get("code");
    if (!code) throw new Refused(answer.get("error") ?? "");
    const endpoints = await this.#discovered();
    const from = answer.get("iss");
    if (from !== null && from !== endpoints.issuer) throw new Refused("another issuer answered");
    return this.#granted({
      grant_type: "authorization_code",
      code,
      redirect_uri: HERE(),
      code_verifier: started.verifier,
    });
  }

  /** Returns another token in place of an expired one; leaves for the provider if it has to. */
  async renew(path: string): Promise<string> {
    const refresh = this.#refresh;
    this.#refresh = undefined;
    if (refresh) {
      try {
        return await this.#granted({ grant_type: "refresh_token", refresh_token: refresh });
      } catch {
        // The provider wants to see the reader.
      }
    }
    return this.leave(path);
  }

  async #granted(params: Record<string, string>): Promise<string> {
    const { token_endpoint } = await this.#discovered();
    const answer = await fetch(token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        ...params,
        client_id: this.provider.client_id,
        ...(this.provider.resource && { resource: this.provider.resource }),
      }),
      credentials: "omit",
    });
    if (!answer.ok) throw new Refused(`the token endpoint answered ${answer.status}`);
    const granted = (await answer.json()) as Granted;
    this.#refresh = granted.refresh_token;
    return granted.access_token;
  }

  #discovered(): Promise<Endpoints> {
    this.#endpoints ??= discover(this.provider.issuer);
    return this.#endpoints;
  }
}

/** Asks an issuer for its endpoints (OpenID Connect Discovery 1.0). */
async function discover(issuer: string): Promise<Endpoints> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await fetch(url, { credentials: "omit" });
  if (!answer.ok) throw new Error(`discovery answered ${answer.status}`);
  const found = (await answer.json()) as Endpoints;
  if (found.issuer !== issuer) throw new Refused("the issuer is not who it says");
  return found;
}
