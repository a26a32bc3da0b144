// What a token allows, as the services see it: a write scope includes its read scope.

import { useEffect, useState } from "preact/hooks";
import type { Session } from "../api/session";
import type { Section } from "../app/places";

export function may(scopes: ReadonlySet<string>, scope: string): boolean {
  const [area, verb] = scope.split(":");
  return scopes.has(scope) || (verb === "read" && scopes.has(`${area}:write`));
}

const NEEDED: Record<Section, string> = {
  activity: "timeline:read",
  quarantine: "timeline:read",
  "dead-letters": "ops",
  people: "directory:read",
  company: "account:write",
  settings: "timeline:read",
  audit: "account:read",
};

export function sectionsFor(scopes: ReadonlySet<string>, all: readonly Section[]): Section[] {
  return all.filter((section) => may(scopes, NEEDED[section]));
}

export function useScopes(session: Session): ReadonlySet<string> | undefined {
  const [scopes, setScopes] = useState<ReadonlySet<string>>();
  useEffect(() => {
    session.claims().then(
      (claims) => setScopes(claims.scopes),
      () => setScopes(new Set()),
    );
  }, [session]);
  return scopes;
}
