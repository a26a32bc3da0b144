// The user's own list of people whose mail is never kept.

import { useState } from "preact/hooks";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { useFetched } from "../shared/use-fetched";
import { neverOf, putNever } from "./calls";
import { entryOf } from "./progress";
import type { NeverList } from "./shapes";
import { useSetupText } from "./texts";

export function NeverCapture() {
  const session = useSession();
  const text = useSetupText();
  const fetched = useFetched(() => neverOf(session), [session]);
  const [changed, setChanged] = useState<NeverList>();
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<"never.invalid" | "failed">();
  const list = changed ?? fetched.value;
  if (!list) return null; // this installation, or this person, has none
  const put = async (next: NeverList) => {
    setProblem(undefined);
    try {
      setChanged((await putNever(session, next)) ?? next);
      setTyped("");
    } catch {
      setProblem("failed");
    }
  };
  const add = () => {
    const entry = entryOf(typed);
    if (!entry) return setProblem("never.invalid");
    return void put({
      addresses: [...new Set([...list.addresses, ...(entry.addresses ? [entry.addresses] : [])])],
      domains: [...new Set([...list.domains, ...(entry.domains ? [entry.domains] : [])])],
    });
  };
  const entries = [...list.addresses, ...list.domains];
  return (
    <section class="extra" aria-label={text["never.title"]}>
      <h2>{text["never.title"]}</h2>
      <p class="quiet">{text["never.what"]}</p>
      <form
        class="line"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <input
          class="field"
          aria-label={text["never.add"]}
          placeholder={text["never.add"]}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="button">
          {text["never.add.act"]}
        </button>
      </form>
      {problem && (
        <p class="note danger" role="alert">
          {text[problem]}
        </p>
      )}
      {entries.length === 0 ? (
        <p class="quiet small">{text["never.none"]}</p>
      ) : (
        <ul class="chips">
          {entries.map((entry) => (
            <li key={entry}>
              <button
                type="button"
                class="chip"
                aria-label={text["never.remove"](entry)}
                onClick={() =>
                  void put({
                    addresses: list.addresses.filter((one) => one !== entry),
                    domains: list.domains.filter((one) => one !== entry),
                  })
                }
              >
                <span>{entry}</span>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
