// People of the directory, for users who may read it: found by their whole address.

import { dataOf, type Session } from "../api/session";
import type { Suggestion } from "./search";

const ADDRESS = /(?:^|\s)([^\s":]+@[^\s":]+\.[^\s":]{2,})$/;

/** Returns the profiles that have the address at the end of a search; none without permission. */
export async function holdersOf(session: Session, q: string): Promise<Suggestion[]> {
  const [, address] = ADDRESS.exec(q) ?? [];
  if (!address) return [];
  const { scopes } = await session.claims();
  if (!scopes.has("directory:read") && !scopes.has("directory:write")) return [];
  try {
    const params = { query: { address } };
    const { items } = dataOf(await session.api.GET("/v1/people", { params }));
    return items
      .filter((person) => person.kind === "candidate" || person.kind === "contact")
      .map((person) => ({ id: person.person_id, name: person.name || person.person_id }));
  } catch {
    return []; // the directory may be elsewhere, or away: a search goes on without it
  }
}
