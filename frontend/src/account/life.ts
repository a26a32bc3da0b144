// What can be decided about a profile as a whole: merged, parted again, erased for good.

import type { components as Matcher } from "../api/matcher";
import { dataOf, Problem, type Session } from "../api/session";

export type Person = Matcher["schemas"]["PersonOut"];
export type Merge = Matcher["schemas"]["MergeOut"];
export type Erasure = Matcher["schemas"]["ErasureOut"];

/** Only who has mail filed under them is merged or erased here. */
export function isProfile(person: Person): boolean {
  return person.kind === "candidate" || person.kind === "contact";
}

/** Returns the name that people know somebody by; the id, if the directory has no name. */
export function calledBy(person: Pick<Person, "name" | "person_id">): string {
  return person.name || person.person_id;
}

/** Whom a profile may be merged into. */
export function mergeable(into: Person, merged: Person): boolean {
  return isProfile(into) && into.person_id !== merged.person_id;
}

const EXPLAINED = ["erasure_key_missing", "merge_circle", "merged_already", "not_found"] as const;
export type Refusal = (typeof EXPLAINED)[number] | "failed";

/** Returns why a call was refused, as far as there are words for it. */
export function refusalOf(error: unknown): Refusal {
  const code = error instanceof Problem ? error.code : "";
  return EXPLAINED.find((one) => one === code) ?? "failed";
}

export async function peopleWith(session: Session, address: string): Promise<Person[]> {
  const query = { address, limit: 50 };
  return dataOf(await session.api.GET("/v1/people", { params: { query } })).items;
}

export async function merge(session: Session, person: Person, into: Person): Promise<Merge> {
  const params = { path: { person_id: person.person_id } };
  const body = { into: into.person_id };
  return dataOf(await session.api.POST("/v1/people/{person_id}:merge", { params, body }));
}

export async function undo(session: Session, merge_id: string): Promise<Merge> {
  const params = { path: { merge_id } };
  return dataOf(await session.api.POST("/v1/merges/{merge_id}:undo", { params }));
}

export async function erase(session: Session, person_id: string): Promise<Erasure> {
  const params = { path: { person_id } };
  return dataOf(await session.api.POST("/v1/people/{person_id}:erase", { params }));
}

export async function erasureOf(
  session: Session,
  erasure_id: string,
  signal: AbortSignal,
): Promise<Erasure> {
  const params = { path: { erasure_id } };
  return dataOf(await session.api.GET("/v1/erasures/{erasure_id}", { params, signal }));
}

/** Returns the names of people by their ids; who cannot be read is left out. */
export async function namesOf(
  session: Session,
  ids: readonly string[],
): Promise<[string, string][]> {
  const named = ids.map(async (person_id): Promise<[string, string] | undefined> => {
    const params = { path: { person_id } };
    const answer = await session.api.GET("/v1/people/{person_id}", { params });
    return answer.data && [person_id, calledBy(answer.data)];
  });
  const found = await Promise.all(named.map((one) => one.catch(() => undefined)));
  return found.filter((one) => one !== undefined);
}
