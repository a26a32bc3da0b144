// A mail's HTML in its frame. The page around reads and changes the frame's document; a script in it
// never runs, and what folds or loads is outside of it.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { dressed, endingQuotes, heightOf, isDesigned, pageOf } from "./frame-page";
import { RemoteImages } from "./RemoteImages";
import { waitingImages } from "./remote-images";

const LOOK_EVERY = 16; // milliseconds, until the document is there
const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";

export interface MailFrameProps {
  html: string;
  from: string;
  /** The sender whose images may always be loaded: only a verified one. */
  sender: string | undefined;
  imagePath: string;
}

export function MailFrame({ html, from, sender, imagePath }: MailFrameProps) {
  const { text } = useLanguage();
  const frame = useRef<HTMLIFrameElement>(null);
  const [page, setPage] = useState<Document>();
  const [quotes, setQuotes] = useState<HTMLElement[]>([]);
  const [open, setOpen] = useState(false);
  const designed = isDesigned(html);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another mail is another document
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    let found: Document | undefined;
    const measure = () => {
      if (found) element.style.height = `${heightOf(found)}px`;
    };
    const observer = new ResizeObserver(measure);
    const look = () => {
      const now = element.contentDocument;
      if (!now?.body || now === found || now.URL !== "about:srcdoc") return;
      if (now.readyState === "loading") return;
      clearInterval(timer);
      found = now;
      now.addEventListener("keydown", (event) => handOn(event, element));
      observer.observe(now.body);
      setQuotes(endingQuotes(now));
      setPage(now);
      measure();
    };
    // Its height is right before its pictures are there: nothing waits for `load`.
    const timer = setInterval(look, LOOK_EVERY);
    element.addEventListener("load", look);
    observer.observe(element); // another width is another height
    return () => {
      clearInterval(timer);
      observer.disconnect();
      element.removeEventListener("load", look);
    };
  }, [html]);
  useLayoutEffect(() => {
    for (const quote of quotes) quote.hidden = !open;
  }, [quotes, open]);
  useEffect(() => {
    const element = frame.current;
    if (!page || !element) return;
    const dress = () => dressed(page, element, designed);
    dress();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", dress);
    return () => dark.removeEventListener("change", dress);
  }, [page, designed]);
  return (
    <>
      {page && waitingImages(page).length > 0 && (
        <RemoteImages page={page} sender={sender} path={imagePath} />
      )}
      <div class="frame" data-designed={designed}>
        <iframe
          ref={frame}
          title={text["mail.frame"](from)}
          sandbox={SANDBOX}
          srcdoc={pageOf(html)}
        />
      </div>
      {quotes.length > 0 && (
        <button
          type="button"
          class="fold"
          aria-expanded={open}
          title={text[open ? "mail.hide-quoted" : "mail.show-quoted"]}
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true">•••</span>
          <span class="sr">{text[open ? "mail.hide-quoted" : "mail.show-quoted"]}</span>
        </button>
      )}
    </>
  );
}

/** A key that is pressed in the frame counts as if it were pressed beside it. */
function handOn(event: KeyboardEvent, frame: HTMLElement): void {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  const again = { key, ctrlKey, metaKey, altKey, shiftKey };
  const told = new KeyboardEvent("keydown", {
    ...again,
    bubbles: true,
    composed: true,
    cancelable: true,
  });
  if (!frame.dispatchEvent(told)) event.preventDefault();
}
