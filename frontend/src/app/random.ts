// Random text, hashes, and what is read from the session storage once.

export function text64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

/** Returns 256 random bits as text. */
export function random(): string {
  return text64(crypto.getRandomValues(new Uint8Array(32)));
}

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Returns what is kept under a name, and forgets it. */
export function dropped<T>(name: string): T | undefined {
  const kept = sessionStorage.getItem(name);
  sessionStorage.removeItem(name);
  if (kept === null) return undefined;
  try {
    return JSON.parse(kept) as T;
  } catch {
    return undefined;
  }
}
