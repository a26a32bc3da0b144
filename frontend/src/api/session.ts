// The person and the origin: all elements of a page with the same person share one session.

import createClient, { type Client } from "openapi-fetch";
import { EventStream } from "./events";
import type { paths as MatcherPaths } from "./matcher";
import type { paths as TimelinePaths } from "./timeline";

export type Paths = TimelinePaths & MatcherPaths;
/** Returns a token; called again when the last one is refused. */
export type TokenSource = () => string | Promise<string>;

/** An answer that is an error, as RFC 9457 describes it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** What went wrong, for programs: docs/errors.md lists the codes. */
    readonly code = "",
  ) {
    super(message);
    this.name = "Problem";
  }
}

/** No answer came: the network or the service is unavailable. */
export class Offline extends Error {}

export class Session {
  readonly api: Client<Paths>;
  readonly events: EventStream;
  #token: Promise<string> | undefined;

  constructor(
    readonly base: string,
    private readonly source: TokenSource,
  ) {
    this.api = createClient<Paths>({ baseUrl: base, fetch: (request) => this.fetch(request) });
    this.events = new EventStream(this);
  }

  /** Sends a request with the token; once more with a new one when it is refused. */
  async fetch(request: Request): Promise<Response> {
    const again = request.clone();
    const used = this.#current();
    const answer = await this.#send(request, used);
    if (answer.status !== 401) return answer;
    // Of requests that are refused together the first asks for a new token, for all of them.
    if (this.#token === used) this.#token = undefined;
    return this.#send(again, this.#current());
  }

  #current(): Promise<string> {
    this.#token ??= Promise.resolve(this.source());
    return this.#token;
  }

  async #send(request: Request, token: Promise<string>): Promise<Response> {
    request.headers.set("Authorization", `Bearer ${await token}`);
    try {
      return await fetch(request);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Offline();
    }
  }

  /** What the token says; only the services verify it. */
  async claims(): Promise<Claims> {
    return claimsOf(await this.#current());
  }
}

export interface Claims {
  account: string;
  sub: string;
  /** As an issuer may add it (OpenID Connect); empty when it does not. */
  name: string;
  scopes: ReadonlySet<string>;
}

/** The names of an issuer's claims. Satchel's own app knows them; the elements use the usual names. */
export const claimNames = { account: "account", person: "sub", scope: "scope" };

/** Reads a token's claims without verifying them: good for what to show, never for what to allow. */
export function claimsOf(token: string): Claims {
  const read = payloadOf(token);
  if (!read) return { account: "", sub: "", name: "", scopes: new Set() };
  const said = read[claimNames.scope];
  const words = Array.isArray(said) ? said.map(String) : String(said ?? "").split(" ");
  return {
    account: String(read[claimNames.account]),
    sub: String(read[claimNames.person]),
    name: typeof read.name === "string" ? read.name : "",
    scopes: new Set(words.filter(Boolean)),
  };
}

/** Returns when a token expires, in Unix time; never, if it does not say. */
export function expiryOf(token: string): number {
  const exp = payloadOf(token)?.exp;
  return typeof exp === "number" ? exp : Number.POSITIVE_INFINITY;
}

function payloadOf(token: string): Record<string, unknown> | undefined {
  try {
    const part = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (c) =>
      c.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Returns the data of an answer. Throws Problem for an error. */
export function dataOf<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok) return answer.data as T;
  const error = answer.error as { detail?: string; title?: string; code?: string } | undefined;
  throw new Problem(answer.response.status, error?.detail ?? error?.title ?? "", error?.code);
}

const sessions = new Map<string, Session>();

/** Returns the session of a base and a token source that is kept under a name; the same each time. */
export function sessionOf(base: string, name: string, source: TokenSource): Session {
  const key = `${base}\n${name}`;
  const known = sessions.get(key);
  if (known) return known;
  const made = new Session(base, source);
  sessions.set(key, made);
  return made;
}

const names = new WeakMap<TokenSource, string>();
let named = 0;

/** Returns the session of a base and a token, or a source of tokens; the same each time. */
export function sessionFor(base: string, token: string | TokenSource): Session {
  if (typeof token === "string") return sessionOf(base, token, () => token);
  let name = names.get(token);
  if (!name) {
    name = `source ${++named}`;
    names.set(token, name);
  }
  return sessionOf(base, name, token);
}
