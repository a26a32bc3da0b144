// The names of people whose ids a list has. Until they are there, and of who is gone, it shows the ids.

import { useEffect, useState } from "preact/hooks";
import type { Session } from "../api/session";
import { namesOf } from "./life";

/** Returns a function from an id to a name. Each id is asked for once; none without the permission. */
export function useNames(
  session: Session,
  ids: readonly string[],
  allowed = true,
): (id: string) => string {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const [asked] = useState(() => new Set<string>());
  const wanted = allowed ? [...new Set(ids)].filter((id) => !asked.has(id)) : [];
  const key = wanted.join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says what is new
  useEffect(() => {
    if (wanted.length === 0) return;
    for (const id of wanted) asked.add(id);
    void namesOf(session, wanted).then((found) =>
      setNames((before) => new Map([...before, ...found])),
    );
  }, [session, key]);
  return (id) => names.get(id) ?? id;
}
