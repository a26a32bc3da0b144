// The pages of the app and their addresses.

export const SECTIONS = [
  "activity",
  "quarantine",
  "dead-letters",
  "people",
  "company",
  "settings",
  "audit",
] as const;
export type Section = (typeof SECTIONS)[number];

export type Place =
  | { page: "inbox"; conversation: string | undefined }
  | { page: "person"; person: string }
  | { page: "setup" }
  | { page: "account"; section: Section };

const BASE = "/app/";

/** Returns the place that a path names; the inbox, if it names none. */
export function placeOf(path: string): Place {
  const [page, id] = path.slice(BASE.length).split("/").map(decoded);
  if (page === "people" && id) return { page: "person", person: id };
  if (page === "conversations" && id && /^[a-z2-7]{32}$/.test(id))
    return { page: "inbox", conversation: id };
  if (page === "setup") return { page: "setup" };
  if (page === "account")
    return { page: "account", section: SECTIONS.find((one) => one === id) ?? "activity" };
  return { page: "inbox", conversation: undefined };
}

export function pathOf(place: Place): string {
  switch (place.page) {
    case "person":
      return `${BASE}people/${encodeURIComponent(place.person)}`;
    case "setup":
      return `${BASE}setup`;
    case "account":
      return `${BASE}account${place.section === "activity" ? "" : `/${place.section}`}`;
    case "inbox":
      return place.conversation ? `${BASE}conversations/${place.conversation}` : BASE;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
