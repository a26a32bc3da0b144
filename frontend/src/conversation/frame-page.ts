// The document in a mail's frame: it runs nothing, loads nothing, and is as high as what it holds.

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
// `overflow-wrap: anywhere` would let tables shrink to columns of letters: SETUP_FACTS knows.
const STYLE = `
html{overflow-x:auto;overflow-y:hidden}
body{display:flow-root;margin:0;padding:1px 0;font:14px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
img{max-width:100%;height:auto}
table img{max-width:none}
img[data-remote-src]:not([src]){display:inline-block;min-width:16px;min-height:16px;
border-radius:4px;background:#eef0f3;color:#5a5f68;font:12px/1.3 system-ui,sans-serif;overflow:hidden}
pre{white-space:pre-wrap}
img[data-remote-src]:is([width="0"],[width="1"],[width="2"],[height="0"],[height="1"],[height="2"]),
[hidden]{display:none!important}
blockquote{margin:8px 0;padding-left:12px;border-left:2px solid #c5cad1}
`;
const SCROLLBAR = 16;
const COLOURED = /\b(?:bgcolor|color|background)\b\s*[:=]|\bbackground-color\s*:/i;

export function pageOf(html: string): string {
  return (
    `<!doctype html><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
    `<meta name="referrer" content="no-referrer"><style>${STYLE}</style><body>${html}`
  );
}

/** Whether a mail chooses its own colours: then it needs the light surface that it was made for. */
export function isDesigned(html: string): boolean {
  return COLOURED.test(html.replace(/>[^<]*</g, "><"));
}

/** Gives a mail the colours around it, or the light ones that it was designed for.
 *
 * A document of another colour scheme than its frame's gets an opaque ground from the browser. */
export function dressed(page: Document, frame: HTMLElement, designed: boolean): void {
  const around = getComputedStyle(frame);
  const root = page.documentElement.style;
  root.colorScheme = designed ? "light" : around.colorScheme;
  root.color = designed ? "" : around.color;
  if (designed) return;
  page.body.style.fontFamily = around.fontFamily;
  for (const link of page.querySelectorAll("a"))
    link.style.color = around.getPropertyValue("--accent");
}

/** Returns how high a frame has to be for its document. */
export function heightOf(page: Document): number {
  const wide = page.documentElement.scrollWidth > page.documentElement.clientWidth;
  const height = Math.ceil(page.body.getBoundingClientRect().height);
  return height + (wide ? SCROLLBAR : 0);
}

/** Returns the quotes that end a mail: no text of the author follows them. */
export function endingQuotes(page: Document): HTMLElement[] {
  const quotes = [...page.querySelectorAll<HTMLElement>("[data-quoted]")].filter(
    (quote) => !quote.parentElement?.closest("[data-quoted]"),
  );
  const found: HTMLElement[] = [];
  const after = page.createRange();
  for (const quote of quotes.reverse()) {
    after.setStartAfter(quote);
    after.setEndAfter(page.body.lastChild ?? page.body);
    const below = found.reduce((text, one) => text.replace(one.textContent, ""), after.toString());
    if (below.trim() !== "") break;
    found.push(quote);
  }
  const all = page.body.textContent.trim();
  const left = found.reduce((text, one) => text.replace(one.textContent, ""), all);
  return left.trim() === "" ? [] : found;
}
