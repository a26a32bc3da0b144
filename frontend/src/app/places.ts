// The pages of the app and their addresses.

export type Place =
  | { page: "inbox"; conversation: string | undefined }
  | { page: "person"; person: string };

const BASE = "/app/";

/** Returns the place that a path names; the inbox, if it names none. */
export function placeOf(path: string): Place {
  const [page, id] = path.slice(BASE.length).split("/").map(decodeURIComponent);
  if (page === "people" && id) return { page: "person", person: id };
  if (page === "conversations" && id && /^[a-z2-7]{32}$/.test(id))
    return { page: "inbox", conversation: id };
  return { page: "inbox", conversation: undefined };
}

export function pathOf(place: Place): string {
  if (place.page === "person") return `${BASE}people/${encodeURIComponent(place.person)}`;
  return place.conversation ? `${BASE}conversations/${place.conversation}` : BASE;
}
