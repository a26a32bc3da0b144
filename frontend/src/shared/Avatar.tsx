// A person as initials in a colour of their own: decoration beside their name.

/** Returns up to two letters for a name; those of an address, if there is no name. */
export function initialsOf(name: string): string {
  const words = name
    .replace(/@.*$/, "")
    .split(/[\s._,()"'-]+/)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? "?")][0] ?? "?";
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toLocaleUpperCase();
}

/** Returns the same hue each time for a text. */
export function hueOf(text: string): number {
  let hash = 0x811c9dc5; // FNV-1a: texts that differ by a letter are far apart
  for (const letter of text.toLowerCase())
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % 360;
}

export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" aria-hidden="true" style={`--hue:${hueOf(name)}`}>
      {initialsOf(name)}
    </span>
  );
}
