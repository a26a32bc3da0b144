// The app around the elements: a menu, and one page in sight. A page that was left stays as it was.

import { useEffect, useRef, useState } from "preact/hooks";
import type { TokenSource } from "../api/session";
import type { SatchelElement } from "../elements/element";
import { useLanguage } from "../i18n";
import { Icon, type IconName } from "../shared/Icon";
import { type Place, pathOf, placeOf } from "./places";

interface Entry {
  label: string;
  icon: IconName;
  place: Place;
}

export function Shell({ token }: { token: TokenSource | string }) {
  const { text } = useLanguage();
  const [place, setPlace] = useState<Place>(() => placeOf(location.pathname));
  const [unread, setUnread] = useState(0);
  const title = text[place.page === "person" ? "nav.person" : "nav.inbox"];
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.pathname));
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${title} – Satchel`;
  }, [unread, title]);
  const go = (next: Place) => {
    if (pathOf(next) !== location.pathname) history.pushState({ inside: true }, "", pathOf(next));
    setPlace(next);
  };
  // An element asks for another place; the app goes there, and the address with it.
  const open = (event: Event) => {
    const { conversation, person } = (event as CustomEvent).detail as {
      conversation?: string | null;
      person?: string;
    };
    event.preventDefault();
    go(
      person
        ? { page: "person", person }
        : { page: "inbox", conversation: conversation ?? undefined },
    );
  };
  const entries: Entry[] = [
    {
      label: text["nav.inbox"],
      icon: "inbox",
      place: { page: "inbox", conversation: undefined },
    },
  ];
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {text["nav.skip"]}
      </a>
      <nav aria-label={text["nav.label"]}>
        <span class="mark" aria-hidden="true">
          <Icon name="inbox" />
        </span>
        {entries.map((entry) => (
          <a
            key={entry.label}
            href={pathOf(entry.place)}
            aria-current={entry.place.page === place.page ? "page" : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              go(entry.place);
            }}
          >
            <Icon name={entry.icon} />
            {entry.label}
          </a>
        ))}
      </nav>
      <main id="content" tabIndex={-1}>
        <h1 class="sr">{title}</h1>
        <Page
          name="satchel-inbox"
          token={token}
          shown={place.page === "inbox"}
          attributes={{
            keys: "page",
            conversation: place.page === "inbox" ? place.conversation : "unchanged",
          }}
          on={{
            "satchel-open": open,
            "satchel-unread": (event) => setUnread((event as CustomEvent).detail.unread),
          }}
        />
        <Page
          name="satchel-timeline"
          token={token}
          shown={place.page === "person"}
          attributes={{
            back: "",
            person: place.page === "person" ? place.person : "unchanged",
          }}
          on={{
            "satchel-open": open,
            "satchel-back": () =>
              history.state?.inside
                ? history.back()
                : go({ page: "inbox", conversation: undefined }),
          }}
        />
      </main>
    </div>
  );
}

interface PageProps {
  name: string;
  token: TokenSource | string;
  shown: boolean;
  /** Undefined takes an attribute away; "unchanged" leaves it as it is. */
  attributes: Record<string, string | undefined>;
  on: Record<string, (event: Event) => void>;
}

/** An element that is made when it is first shown, and is kept. */
function Page({ name, token, shown, attributes, on }: PageProps) {
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
    if (!page.isConnected) {
      page.token = token;
      around.current?.append(page);
    }
  });
  return <div class="page" hidden={!shown} ref={around} />;
}
