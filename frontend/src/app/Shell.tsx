// The app around the elements: a menu, and one page in sight.

import { useEffect, useRef, useState } from "preact/hooks";
import { useHeld } from "../account/use-held";
import { sessionFor, type TokenSource } from "../api/session";
import { useLanguage } from "../i18n";
import { Icon, type IconName } from "../shared/Icon";
import { Menu } from "./Menu";
import { Page } from "./Page";
import { type Place, pathOf, placeOf, type Section } from "./places";
import type { Theme } from "./preferences";

const INBOX: Place = { page: "inbox", conversation: undefined };
const ENTRIES: readonly { name: Place["page"]; icon: IconName; place: Place }[] = [
  { name: "inbox", icon: "inbox", place: INBOX },
  { name: "setup", icon: "setup", place: { page: "setup" } },
  { name: "account", icon: "account", place: { page: "account", section: "activity" } },
];

export interface ShellProps {
  token: TokenSource;
  /** Tokens of those whom the reader may change to. */
  readers: readonly string[];
  become: (token: string) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  setLanguage: (code: string) => void;
  signOut: () => void;
}

export function Shell({ token, theme, ...menu }: ShellProps) {
  const { text, code } = useLanguage();
  const [place, setPlace] = useState<Place>(() => placeOf(location.pathname));
  const [unread, setUnread] = useState(0);
  const held = useHeld(sessionFor(location.origin, token));
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.pathname));
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  const title = text[`nav.${place.page}`];
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${title} – Satchel`;
  }, [unread, title]);
  // Another page: the focus goes where its content is, as after a page load.
  const before = useRef(place.page);
  useEffect(() => {
    if (before.current === place.page) return;
    before.current = place.page;
    main.current?.focus({ preventScroll: true });
  }, [place.page]);
  const go = (next: Place) => {
    if (pathOf(next) !== location.pathname) history.pushState({ inside: true }, "", pathOf(next));
    setPlace(next);
  };
  // An element asks for another place; the app goes there, and the address with it.
  const open = (event: Event) => {
    const { conversation, person, section, page } = (event as CustomEvent).detail as {
      conversation?: string | null;
      person?: string;
      section?: Section;
      page?: "setup";
    };
    event.preventDefault();
    if (person) go({ page: "person", person });
    else if (section) go({ page: "account", section });
    else if (page) go({ page });
    else go({ page: "inbox", conversation: conversation ?? undefined });
  };
  const shared = { lang: code, theme: theme === "auto" ? undefined : theme };
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {text["nav.skip"]}
      </button>
      <nav aria-label={text["nav.label"]}>
        <span class="mark" aria-hidden="true">
          <Icon name="inbox" />
        </span>
        {ENTRIES.map((entry) => (
          <a
            key={entry.name}
            href={pathOf(entry.place)}
            aria-current={entry.name === place.page ? "page" : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              go(entry.place);
            }}
          >
            <Icon name={entry.icon} />
            <span>
              {text[`nav.${entry.name}`]}
              {entry.name === "account" && held && (
                <span class="count" title={text["nav.held"](held)}>
                  <span aria-hidden="true">{held}</span>
                  <span class="sr">, {text["nav.held"](held)}</span>
                </span>
              )}
            </span>
          </a>
        ))}
        <Menu {...{ token, theme, ...menu }} />
      </nav>
      <main id="content" tabIndex={-1} ref={main}>
        {(place.page === "inbox" || place.page === "person") && <h1 class="sr">{title}</h1>}
        <Page
          name="satchel-inbox"
          token={token}
          shown={place.page === "inbox"}
          attributes={{
            ...shared,
            keys: "page",
            "to-setup": "",
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
            ...shared,
            back: "",
            person: place.page === "person" ? place.person : "unchanged",
          }}
          on={{
            "satchel-open": open,
            "satchel-back": () => (history.state?.inside ? history.back() : go(INBOX)),
          }}
        />
        <Page
          name="satchel-setup"
          token={token}
          shown={place.page === "setup"}
          attributes={shared}
          on={{}}
        />
        <Page
          name="satchel-account"
          token={token}
          shown={place.page === "account"}
          attributes={{
            ...shared,
            section: place.page === "account" ? place.section : "unchanged",
          }}
          on={{ "satchel-open": open }}
        />
      </main>
    </div>
  );
}
