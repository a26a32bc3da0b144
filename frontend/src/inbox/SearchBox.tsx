// The search field: searches while the reader types, suggests people, explains its operators.

import type { RefObject } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Popover } from "../shared/Popover";
import type { Conversation } from "./conversations";
import { holdersOf } from "./directory";
import { completed, OPERATORS, type Suggestion, suggestionsFor, withOperator } from "./search";

const PAUSE = 250; // milliseconds after the last key

export interface SearchBoxProps {
  q: string;
  search: (q: string) => void;
  choosePerson: (id: string, name: string) => void;
  known: () => readonly Conversation[];
  field: RefObject<HTMLInputElement | null>;
}

export function SearchBox({ q, search, choosePerson, known, field }: SearchBoxProps) {
  const { text } = useLanguage();
  const [typed, setTyped] = useState(q);
  const [found, setFound] = useState<Suggestion[]>([]);
  const [active, setActive] = useState(-1);
  const session = useSession();
  const asked = useRef("");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const list = useId();
  useEffect(() => setTyped(q), [q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const change = (next: string, pause: number) => {
    setTyped(next);
    setActive(-1);
    clearTimeout(timer.current);
    if (pause === 0) search(next);
    else timer.current = setTimeout(() => search(next), pause);
  };
  const type = (next: string) => {
    change(next, PAUSE);
    const near = suggestionsFor(next, known());
    setFound(near);
    asked.current = next;
    void holdersOf(session, next).then((holders) => {
      const more = holders.filter((one) => !near.some((other) => other.id === one.id));
      if (more.length > 0 && asked.current === next) setFound([...more, ...near]);
    });
  };
  const choose = (one: Suggestion) => {
    const next = completed(typed, one);
    asked.current = next;
    setFound([]);
    change(next, 0);
    if (one.id) choosePerson(one.id, one.name);
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    const chosen = found[active];
    if (event.key === "ArrowDown" && found.length > 0) setActive((active + 1) % found.length);
    else if (event.key === "ArrowUp" && found.length > 0)
      setActive((active <= 0 ? found.length : active) - 1);
    else if (event.key === "Enter" && chosen) choose(chosen);
    else if (event.key === "Enter") {
      setFound([]);
      change(typed, 0);
    } else if (event.key === "Escape" && found.length > 0) setFound([]);
    else if (event.key === "Escape" && typed) change("", 0);
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isOpen = found.length > 0;
  return (
    <search class="search">
      <Icon name="search" />
      <input
        ref={field}
        type="text"
        class="field"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={isOpen ? list : undefined}
        aria-activedescendant={found[active] ? `${list}-${active}` : undefined}
        aria-autocomplete="list"
        aria-label={text.search}
        placeholder={text.search}
        autocomplete="off"
        spellcheck={false}
        enterkeyhint="search"
        maxLength={500}
        value={typed}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={press}
        onBlur={() => setFound([])}
      />
      {typed && (
        <button
          type="button"
          class="icon-button"
          aria-label={text["search.clear"]}
          onClick={() => {
            change("", 0);
            setFound([]);
            field.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
      <Popover label={text["search.help"]} icon="help" class="search-help">
        {(close) => (
          <>
            <p>{text["search.help.words"]}</p>
            <ul>
              {OPERATORS.map(([example, what, inserted]) => (
                <li key={example}>
                  <button
                    type="button"
                    onClick={() => {
                      close();
                      change(withOperator(typed, inserted), inserted.endsWith(" ") ? 0 : PAUSE);
                      field.current?.focus();
                    }}
                  >
                    <code>{example}</code>
                    <span class="quiet">{text[what]}</span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </Popover>
      {isOpen && (
        <div
          id={list}
          class="panel suggestions"
          role="listbox"
          aria-label={text["search.suggestions"]}
        >
          {found.map((one, place) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the field
            <div
              key={one.id ?? one.address}
              id={`${list}-${place}`}
              role="option"
              aria-selected={place === active}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(one)}
            >
              <Avatar name={one.name} />
              <span>{one.name}</span>
              <span class="quiet">{one.id ? text["search.only"](one.name) : one.address}</span>
            </div>
          ))}
        </div>
      )}
    </search>
  );
}
