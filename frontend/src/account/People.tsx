// Who has an address, what can be done with their profile, and what would become of a mail.

import { useRef, useState } from "preact/hooks";
import { useSession } from "../shared/context";
import { EraseDialog } from "./EraseDialog";
import { Erasures } from "./Erasures";
import { Explain } from "./Explain";
import { Lookup } from "./Lookup";
import { isProfile, type Person } from "./life";
import { MergeDialog } from "./MergeDialog";
import { Merges } from "./Merges";
import { useAccountText } from "./texts";
import { useLife } from "./use-life";

export interface PeopleProps {
  open: (person: string) => void;
  changes: boolean;
}

export function People({ open, changes }: PeopleProps) {
  const session = useSession();
  const text = useAccountText();
  const [asked, setAsked] = useState<{ what: "merge" | "erase"; of: Person }>();
  const [erased, setErased] = useState<ReadonlySet<string>>(new Set());
  const { merges, erasures } = useLife(session);
  const field = useRef<HTMLInputElement>(null);
  const closed = () => {
    // The button that opened the dialog is gone with who was erased.
    if (asked && erased.has(asked.of.person_id)) field.current?.focus();
    setAsked(undefined);
  };
  return (
    <>
      <section class="card" aria-labelledby="find">
        <h2 id="find">{text["people.find"]}</h2>
        <p class="quiet">{text["people.find.what"]}</p>
        <Lookup
          field={field}
          without={erased}
          actions={(person) => (
            <>
              {person.kind !== "user" && (
                <button type="button" class="button" onClick={() => open(person.person_id)}>
                  {text["people.mail"]}
                </button>
              )}
              {changes && isProfile(person) && (
                <>
                  <button
                    type="button"
                    class="button"
                    onClick={() => setAsked({ what: "merge", of: person })}
                  >
                    {text["merge.ask"]}
                  </button>
                  <button
                    type="button"
                    class="button danger"
                    onClick={() => setAsked({ what: "erase", of: person })}
                  >
                    {text["erase.ask"]}
                  </button>
                </>
              )}
            </>
          )}
        />
      </section>
      <Explain />
      <Merges key={erased.size} pages={merges} changes={changes} />
      <Erasures pages={erasures} />
      {asked?.what === "merge" && (
        <MergeDialog person={asked.of} closed={closed} changed={merges.again} />
      )}
      {asked?.what === "erase" && (
        <EraseDialog
          person={asked.of}
          closed={closed}
          changed={(erasure) => {
            setErased((before) => new Set([...before, ...erasure.person_ids]));
            erasures.again();
            merges.again();
          }}
        />
      )}
    </>
  );
}
