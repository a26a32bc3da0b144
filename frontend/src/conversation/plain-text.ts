// Plain text as pieces: the author's own text, quotes, and the links in both. Pure.

export interface Line {
  text: string;
  /** How deep it is quoted; 0: not at all. */
  depth: number;
}

/** Groups lines that are quoted equally deep, without the marks of the quote. */
export function blocksOf(text: string): Line[] {
  const blocks: Line[] = [];
  for (const line of text.split("\n")) {
    const [marks = ""] = /^(?:>[ ]?)*/.exec(line) ?? [];
    const depth = marks.replaceAll(" ", "").length;
    const last = blocks.at(-1);
    if (last && last.depth === depth) last.text += `\n${line.slice(marks.length)}`;
    else blocks.push({ text: line.slice(marks.length), depth });
  }
  return blocks;
}

export interface Span {
  text: string;
  href?: string;
}

const LINK = /https?:\/\/[^\s<>"]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
const AFTER_LINK = /[.,;:!?'”’»]+$/;

/** Cuts a text where links begin and end; a full stop or a bracket after one does not belong to it. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    let link = found[0].replace(AFTER_LINK, "");
    while (link.endsWith(")") && count(link, ")") > count(link, "("))
      link = link.slice(0, -1).replace(AFTER_LINK, "");
    if (found.index > end) spans.push({ text: text.slice(end, found.index) });
    spans.push({ text: link, href: link.includes("://") ? link : `mailto:${link}` });
    end = found.index + link.length;
  }
  if (end < text.length) spans.push({ text: text.slice(end) });
  return spans;
}

/** Returns what a mail adds, and what stands after it folded away; `whole` if it stands between. */
export function partsOf(mail: { text: string; new_text: string }): {
  shown: string;
  rest: string;
  whole: boolean;
} {
  const text = mail.text.trim();
  const shown = mail.new_text.trim();
  if (shown === "" || shown === text) return { shown: text, rest: "", whole: false };
  if (text.startsWith(shown)) return { shown, rest: text.slice(shown.length).trim(), whole: false };
  return { shown, rest: text, whole: true };
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}
