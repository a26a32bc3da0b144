import { afterEach, expect, it, vi } from "vitest";
import { claimsOf, Offline, Session } from "../src/api/session";

afterEach(() => vi.unstubAllGlobals());

function answers(...statuses: number[]) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request.headers.get("Authorization") ?? "");
    return new Response("{}", { status: statuses.shift() ?? 200 });
  });
  return asked;
}

it("asks for a new token once when one is refused", async () => {
  const asked = answers(401, 200);
  let number = 0;
  const session = new Session("http://a.example", () => `t${++number}`);
  const answer = await session.fetch(new Request("http://a.example/v1/inbox"));
  expect(answer.status).toBe(200);
  expect(asked).toEqual(["Bearer t1", "Bearer t2"]);
});

it("gives up when the new token is refused as well", async () => {
  const asked = answers(401, 401);
  const session = new Session("http://a.example", () => "t");
  expect((await session.fetch(new Request("http://a.example/v1/inbox"))).status).toBe(401);
  expect(asked.length).toBe(2);
});

it("distinguishes an unavailable network from an answer", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const session = new Session("http://a.example", () => "t");
  await expect(session.fetch(new Request("http://a.example/"))).rejects.toBeInstanceOf(Offline);
});

it("reads claims, and none from text that is no token", () => {
  const part = btoa(JSON.stringify({ account: "a", sub: "u1", scope: "timeline:read ops" }));
  expect([...claimsOf(`x.${part}.y`).scopes]).toEqual(["timeline:read", "ops"]);
  expect(claimsOf("nonsense").sub).toBe("");
});
