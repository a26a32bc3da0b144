// Finds people by their whole address: a form, and what it found.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { calledBy, type Person, peopleWith } from "./life";
import { useAccountText } from "./texts";

export interface LookupProps {
  /** What can be done with somebody who was found. */
  actions: (person: Person) => ComponentChildren;
  /** Who was erased meanwhile: they are found no more. */
  without?: ReadonlySet<string>;
  /** Whether the reader types here first. */
  first?: boolean;
  field?: RefObject<HTMLInputElement | null>;
}

export function Lookup({ actions, without, first = false, field }: LookupProps) {
  const session = useSession();
  const text = useAccountText();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<{ address: string; people: Person[] }>();
  const [failed, setFailed] = useState(false);
  const own = useRef<HTMLInputElement>(null);
  const input = field ?? own;
  useEffect(() => {
    if (first) input.current?.focus();
  }, [first, input]);
  const find = async () => {
    const address = typed.trim();
    if (!address) return;
    setFailed(false);
    try {
      setFound({ address, people: await peopleWith(session, address) });
    } catch {
      setFailed(true);
    }
  };
  const people = found?.people.filter((person) => !without?.has(person.person_id));
  return (
    <>
      <form
        class="actions"
        onSubmit={(event) => {
          event.preventDefault();
          void find();
        }}
      >
        <input
          ref={input}
          class="field"
          type="email"
          aria-label={text["people.address"]}
          placeholder="name@mail.example"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="button">
          {text["people.find.act"]}
        </button>
      </form>
      {failed && (
        <p class="note danger" role="alert">
          {text.failed}
        </p>
      )}
      <div role="status">
        {found && people?.length === 0 && <p>{text["people.not-found"](found.address)}</p>}
      </div>
      <ul class="people">
        {people?.map((person) => (
          <li key={person.person_id}>
            <Who person={person} />
            <span class="actions">{actions(person)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function Who({ person }: { person: Person }) {
  const { text } = useLanguage();
  return (
    <>
      <Avatar name={calledBy(person)} />
      <span>
        <b>{calledBy(person)}</b> <span class="badge">{text[`kind.${person.kind}`]}</span>
        <br />
        <span class="quiet small">{person.addresses.join(", ")}</span>
      </span>
    </>
  );
}
