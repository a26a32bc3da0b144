// How a reader signs in: with a token in the link, at a provider, or not yet.

import { claimNames, expiryOf, type TokenSource } from "../api/session";
import { type Provider, SignIn } from "./oidc";

export type Arrival =
  | { kind: "in"; token: TokenSource; signIn: SignIn | undefined; readers: readonly string[] }
  | { kind: "out"; why: "new" | "failed" | "left"; signIn: SignIn | undefined };

interface Config {
  sign_in: Provider | null;
}

/** Takes the tokens out of the address, so that no link, history or screenshot has them. */
function tokensOfAddress(): string[] {
  const found = new URLSearchParams(location.hash.slice(1)).getAll("token").filter(Boolean);
  if (found[0]) history.replaceState(history.state, "", location.pathname + location.search);
  return found;
}

/**
 * Where readers sign in at a provider, a link brings no token, but to a frame: who sends a link
 * with a token of their own would have the reader work, and set up their mail, in a stranger's name.
 * Where it cannot be found out whether there is a provider, it brings none either.
 * A link with several tokens, as a demo prints it, lets its reader change between them.
 */
export async function arrive(): Promise<Arrival> {
  const readers = tokensOfAddress();
  const given = readers[0];
  let signIn: SignIn | undefined;
  try {
    signIn = given && window !== window.top ? undefined : await signInHere();
  } catch {
    return { kind: "out", why: "failed", signIn };
  }
  if (given && !signIn) return { kind: "in", token: () => given, signIn, readers };
  if (!signIn) return { kind: "out", why: "new", signIn };
  try {
    const token = await signIn.arrive();
    if (token) return { kind: "in", token: renewing(token, signIn), signIn, readers: [] };
  } catch {
    return { kind: "out", why: "failed", signIn };
  }
  return { kind: "out", why: "new", signIn };
}

const EARLY = 5; // seconds before it expires

/**
 * Returns the token as long as it lives, then a new one. One that is refused before its time is not
 * replaced: the provider would give the same again, and again.
 */
export function renewing(first: string, signIn: Pick<SignIn, "renew">): TokenSource {
  let current: string | Promise<string> = first;
  let expires = expiryOf(first);
  return () => {
    if (Date.now() / 1000 < expires - EARLY) return current;
    expires = Number.POSITIVE_INFINITY; // concurrent callers share one renewal
    current = signIn.renew(location.pathname).then((token) => {
      expires = expiryOf(token);
      return token;
    });
    return current;
  };
}

async function signInHere(): Promise<SignIn | undefined> {
  const answer = await fetch("/app/config.json", { credentials: "omit" });
  if (!answer.ok) throw new Error(`the configuration answered ${answer.status}`);
  const config = (await answer.json()) as Config;
  if (!config.sign_in) return undefined;
  Object.assign(claimNames, config.sign_in.claims);
  return new SignIn(config.sign_in);
}
