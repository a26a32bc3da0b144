// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { claimsOf } from "../src/api/session";
import { arrive, renewing } from "../src/app/arrival";
import { text64 } from "../src/app/random";

const PROVIDER = {
  issuer: "https://id.example",
  client_id: "pages",
  scope: "openid",
  resource: null,
  claims: { account: "account", person: "sub", scope: "scope" },
};
const token = (seconds: number, more: object = {}) =>
  `x.${text64(new TextEncoder().encode(JSON.stringify({ exp: Date.now() / 1000 + seconds, ...more })))}.x`;

function answering(answers: Record<string, unknown>): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string | URL) => {
    asked.push(String(url));
    const body = answers[String(url)];
    return new Response(JSON.stringify(body ?? {}), { status: body ? 200 : 404 });
  });
  return asked;
}

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, "", "/app/");
});

describe("a token that came from a provider", () => {
  it("is kept as long as it lives, however often it is asked for", async () => {
    const signIn = { renew: vi.fn() };
    const source = renewing(token(3600), signIn);
    expect(await source()).toBe(await source());
    expect(signIn.renew).not.toHaveBeenCalled();
  });

  it("is renewed once, by the first caller", async () => {
    const next = token(3600);
    const signIn = { renew: vi.fn(async () => next) };
    const source = renewing(token(-1), signIn);
    expect(await Promise.all([source(), source()])).toEqual([next, next]);
    expect(await source()).toBe(next);
    expect(signIn.renew).toHaveBeenCalledTimes(1);
  });
});

describe("who arrives", () => {
  it("with a token in the fragment is in, and the address has it no more", async () => {
    answering({ "/app/config.json": { sign_in: null } });
    history.replaceState(null, "", "/app/setup#token=abc");
    const arrival = await arrive();
    expect(arrival.kind).toBe("in");
    expect(location.hash).toBe("");
    expect(location.pathname).toBe("/app/setup");
  });

  it("with several tokens is the first of their readers, and may become the others", async () => {
    answering({ "/app/config.json": { sign_in: null } });
    history.replaceState(null, "", "/app/#token=nora&token=lena");
    const arrival = await arrive();
    expect(arrival.kind === "in" && (await arrival.token())).toBe("nora");
    expect(arrival).toMatchObject({ readers: ["nora", "lena"] });
    expect(location.href).not.toContain("lena");
  });

  it("with several tokens of strangers becomes none of them", async () => {
    answering({ "/app/config.json": { sign_in: PROVIDER } });
    history.replaceState(null, "", "/app/#token=a&token=b");
    expect(await arrive()).not.toHaveProperty("readers");
    expect(location.hash).toBe("");
  });

  it("with a stranger's token in a link signs in at the provider all the same", async () => {
    answering({ "/app/config.json": { sign_in: PROVIDER } });
    history.replaceState(null, "", "/app/setup#token=of-a-stranger");
    expect(await arrive()).toMatchObject({ kind: "out", why: "new", signIn: expect.anything() });
    expect(location.hash).toBe("");
  });

  it("with a token in a link is out while it is unknown whether there is a provider", async () => {
    for (const answer of [
      async () => new Response("{}", { status: 503 }),
      async () => new Response("<html>", { status: 200 }),
      async () => Promise.reject(new TypeError("no network")),
    ]) {
      vi.stubGlobal("fetch", answer);
      history.replaceState(null, "", "/app/setup#token=of-a-stranger");
      expect(await arrive()).toMatchObject({ kind: "out", why: "failed" });
      expect(location.hash).toBe("");
    }
  });

  it("in a frame is in with the token of the page around, whoever the provider is", async () => {
    answering({ "/app/config.json": { sign_in: PROVIDER } });
    vi.stubGlobal("top", {});
    history.replaceState(null, "", "/app/people/c1#token=abc");
    expect(await arrive()).toMatchObject({ kind: "in" });
    vi.unstubAllGlobals();
  });

  it("where there is no provider is out", async () => {
    answering({ "/app/config.json": { sign_in: null } });
    expect(await arrive()).toMatchObject({ kind: "out", why: "new", signIn: undefined });
  });

  it("with an answer to no question is out, and the provider is asked nothing", async () => {
    history.replaceState(null, "", "/app/?code=stolen&state=guessed");
    const asked = answering({ "/app/config.json": { sign_in: PROVIDER } });
    expect(await arrive()).toMatchObject({ kind: "out", why: "failed" });
    expect(asked).toEqual(["/app/config.json"]);
    expect(location.search).toBe("");
  });

  it("with an answer of another issuer is out", async () => {
    const started = { state: "s", verifier: "v", path: "/app/setup" };
    sessionStorage.setItem("satchel.sign-in", JSON.stringify(started));
    history.replaceState(null, "", "/app/?code=c&state=s&iss=https%3A%2F%2Fevil.example");
    const asked = answering({
      "/app/config.json": { sign_in: PROVIDER },
      "https://id.example/.well-known/openid-configuration": {
        issuer: "https://id.example",
        authorization_endpoint: "https://id.example/auth",
        token_endpoint: "https://id.example/token",
      },
      "https://id.example/token": { access_token: "t" },
    });
    expect(await arrive()).toMatchObject({ kind: "out", why: "failed" });
    expect(asked).not.toContain("https://id.example/token");
    expect(sessionStorage.length).toBe(0);
  });
});

it("reads scopes that are words and scopes that are a list", () => {
  expect([...claimsOf(token(1, { scope: "a:read ops" })).scopes]).toEqual(["a:read", "ops"]);
  expect([...claimsOf(token(1, { scope: ["a:read", "ops"] })).scopes]).toEqual(["a:read", "ops"]);
  expect([...claimsOf("nonsense").scopes]).toEqual([]);
  expect(claimsOf(token(1, { name: "Nora Keller" })).name).toBe("Nora Keller");
  expect(claimsOf(token(1)).name).toBe("");
});
