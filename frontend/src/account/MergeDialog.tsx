// Merges a profile into another: whom into, what will happen, and the way back.

import { useState } from "preact/hooks";
import { useSession } from "../shared/context";
import { Dialog, focused } from "./Dialog";
import { Lookup } from "./Lookup";
import {
  calledBy,
  type Merge,
  merge,
  mergeable,
  type Person,
  type Refusal,
  refusalOf,
  undo,
} from "./life";
import { useAccountText } from "./texts";

export interface MergeDialogProps {
  person: Person;
  closed: () => void;
  changed: () => void;
}

export function MergeDialog({ person, closed, changed }: MergeDialogProps) {
  const session = useSession();
  const text = useAccountText();
  const [into, setInto] = useState<Person>();
  const [done, setDone] = useState<Merge>();
  const [refused, setRefused] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const name = calledBy(person);
  const attempt = (call: () => Promise<Merge>) => {
    setRefused(undefined);
    setBusy(true);
    call()
      .then(
        (merged) => {
          setDone(merged);
          changed();
        },
        (error: unknown) => setRefused(refusalOf(error)),
      )
      .then(() => setBusy(false));
  };
  return (
    <Dialog title={text["merge.title"](name)} closed={closed}>
      {(close) => (
        <>
          {!into && <p class="quiet">{text["merge.what"](name)}</p>}
          {!into && (
            <Lookup
              first
              actions={(found) =>
                mergeable(found, person) ? (
                  <button type="button" class="button" onClick={() => setInto(found)}>
                    {text["merge.choose"]}
                  </button>
                ) : (
                  <span class="quiet small">
                    {text[found.person_id === person.person_id ? "merge.same" : "merge.no-profile"]}
                  </span>
                )
              }
            />
          )}
          {into && !done && (
            <div class="note warn">
              <span>{text["merge.sure"](name, calledBy(into))}</span>
              <span class="actions">
                <button
                  type="button"
                  class="button"
                  ref={focused}
                  disabled={busy}
                  onClick={() => attempt(() => merge(session, person, into))}
                >
                  {text["merge.act"]}
                </button>
                <button type="button" class="button" onClick={() => setInto(undefined)}>
                  {text["merge.other"]}
                </button>
              </span>
            </div>
          )}
          <div role="status">
            {into && done && (
              <p class="note ok">
                {done.state === "merged"
                  ? text["merge.done"](name, calledBy(into))
                  : text["merge.undone"]}
              </p>
            )}
          </div>
          {refused && (
            <p class="note danger" role="alert">
              {refused === "failed" ? text.failed : text[`refused.${refused}`]}
            </p>
          )}
          {done && (
            <p class="actions">
              {done.state === "merged" && (
                <button
                  type="button"
                  class="button"
                  disabled={busy}
                  onClick={() => attempt(() => undo(session, done.id))}
                >
                  {text["merge.undo"]}
                </button>
              )}
              <button key={done.state} type="button" class="button" ref={focused} onClick={close}>
                {text.done}
              </button>
            </p>
          )}
        </>
      )}
    </Dialog>
  );
}
