// An element of the app: made when it is first shown, and kept, so that a page that was left does not change.

import { useEffect, useRef } from "preact/hooks";
import type { TokenSource } from "../api/session";
import type { SatchelElement } from "../elements/element";

export interface PageProps {
  name: string;
  token: TokenSource;
  shown: boolean;
  /** Undefined takes an attribute away; "unchanged" leaves it as it is. */
  attributes: Record<string, string | undefined>;
  on: Record<string, (event: Event) => void>;
}

export function Page({ name, token, shown, attributes, on }: PageProps) {
  const around = useRef<HTMLDivElement>(null);
  const element = useRef<SatchelElement | undefined>(undefined);
  const handlers = useRef(on);
  handlers.current = on;
  useEffect(() => {
    if (shown && !element.current) {
      const made = document.createElement(name) as SatchelElement;
      for (const event of Object.keys(handlers.current))
        made.addEventListener(event, (told) => handlers.current[event]?.(told));
      element.current = made;
    }
    const page = element.current;
    if (!page) return;
    page.hidden = !shown;
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value === "unchanged") continue;
      if (value === undefined) page.removeAttribute(attribute);
      else if (page.getAttribute(attribute) !== value) page.setAttribute(attribute, value);
    }
    if (page.token !== token) page.token = token;
    if (!page.isConnected) around.current?.append(page);
  });
  return <div class="page" hidden={!shown} ref={around} />;
}
