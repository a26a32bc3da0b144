// API calls of a set-up. Routes that not every installation has are called by their path.

import { dataOf, Problem, type Session } from "../api/session";
import type { Guides, NeverList, Setup } from "./shapes";

/** Calls a route that is not in the types yet; undefined when this installation has none. */
export async function call<T>(
  session: Session,
  method: string,
  path: string,
  body?: unknown,
): Promise<T | undefined> {
  const answer = await session.fetch(
    new Request(new URL(path, session.base), {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      }),
    }),
  );
  if (answer.ok) return (await answer.json()) as T;
  const isProblem = answer.headers.get("Content-Type")?.includes("problem+json");
  const said = isProblem ? ((await answer.json()) as { detail?: string; code?: string }) : {};
  if (answer.status === 405 || (answer.status === 404 && said.detail === undefined))
    return undefined;
  throw new Problem(answer.status, said.detail ?? "", said.code);
}

export async function setupOf(session: Session, signal: AbortSignal): Promise<Setup> {
  return dataOf(await session.api.GET("/v1/setup", { signal })) as Setup;
}

export async function guidesOf(
  session: Session,
  choice: { guide?: string; address?: string; language: string },
  signal: AbortSignal,
): Promise<Guides> {
  return dataOf(await session.api.GET("/v1/setup/guides", { params: { query: choice }, signal }));
}

export async function mint(session: Session): Promise<void> {
  const { sub } = await session.claims();
  dataOf(await session.api.POST("/v1/capture-addresses", { body: { person_id: sub } }));
}

export async function rotate(session: Session, address: string, hours: number): Promise<void> {
  dataOf(
    await session.api.POST("/v1/capture-addresses/{address}:rotate", {
      params: { path: { address } },
      body: { grace_hours: hours },
    }),
  );
}

interface NeverLists {
  own: NeverList | null;
}

/** Returns the caller's own list; undefined where there is none. */
export async function neverOf(session: Session): Promise<NeverList | undefined> {
  return (await call<NeverLists>(session, "GET", "/v1/never-capture"))?.own ?? undefined;
}

export async function putNever(session: Session, own: NeverList): Promise<NeverList | undefined> {
  return (await call<NeverLists>(session, "PUT", "/v1/never-capture", { own }))?.own ?? undefined;
}
