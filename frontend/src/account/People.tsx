// Who has an address, and what would become of a mail.

import { useState } from "preact/hooks";
import type { components } from "../api/matcher";
import { dataOf } from "../api/session";
import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { Explain } from "./Explain";
import { useAccountText } from "./texts";

type Person = components["schemas"]["PersonOut"];

export function People({ open }: { open: (person: string) => void }) {
  const session = useSession();
  const text = useAccountText();
  const { text: shared } = useLanguage();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<{ address: string; people: Person[] }>();
  const [failed, setFailed] = useState(false);
  const find = async () => {
    const address = typed.trim();
    if (!address) return;
    setFailed(false);
    try {
      const query = { address, limit: 50 };
      const { items } = dataOf(await session.api.GET("/v1/people", { params: { query } }));
      setFound({ address, people: items });
    } catch {
      setFailed(true);
    }
  };
  return (
    <>
      <section class="card" aria-labelledby="find">
        <h2 id="find">{text["people.find"]}</h2>
        <p class="quiet">{text["people.find.what"]}</p>
        <form
          class="actions"
          onSubmit={(event) => {
            event.preventDefault();
            void find();
          }}
        >
          <input
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
          {found && found.people.length === 0 && <p>{text["people.not-found"](found.address)}</p>}
        </div>
        <ul class="people">
          {found?.people.map((person) => (
            <li key={person.person_id}>
              <Avatar name={person.name} />
              <span>
                <b>{person.name}</b> <span class="badge">{shared[`kind.${person.kind}`]}</span>
                <br />
                <span class="quiet small">{person.addresses.join(", ")}</span>
              </span>
              {person.kind !== "user" && (
                <button type="button" class="button" onClick={() => open(person.person_id)}>
                  {text["people.mail"]}
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      <Explain />
    </>
  );
}
