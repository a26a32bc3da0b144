// Another address in place of the one that too many know.

import { useState } from "preact/hooks";
import { useSession } from "../shared/context";
import { rotate } from "./calls";
import { useSetupText } from "./texts";

const GRACES = [168, 72, 24, 0]; // hours

export interface RotationProps {
  address: string;
  again: () => void;
  /** Other words, where it is not the reader's own address. */
  words?: { title: string; what: string; ask: string };
}

export function Rotation({ address, again, words }: RotationProps) {
  const session = useSession();
  const text = useSetupText();
  const [hours, setHours] = useState(72);
  const [asked, setAsked] = useState(false);
  const [said, setSaid] = useState<"rotate.done" | "failed">();
  const change = async () => {
    try {
      await rotate(session, address, hours);
      setSaid("rotate.done");
      again();
    } catch {
      setSaid("failed");
    }
    setAsked(false);
  };
  return (
    <section id="rotation" class="extra" aria-label={words?.title ?? text["rotate.title"]}>
      <h2>{words?.title ?? text["rotate.title"]}</h2>
      <p class="quiet">{words?.what ?? text["rotate.what"]}</p>
      <p class="line">
        <label>
          {text["rotate.grace"]}{" "}
          <select
            class="field"
            value={hours}
            onChange={(event) => setHours(Number(event.currentTarget.value))}
          >
            {GRACES.map((grace) => (
              <option key={grace} value={grace}>
                {text["rotate.hours"](grace)}
              </option>
            ))}
          </select>
        </label>
        {!asked && (
          <button type="button" class="button" onClick={() => setAsked(true)}>
            {text["rotate.act"]}
          </button>
        )}
      </p>
      {asked && (
        <div class="note warn" role="alert">
          <span>{words?.ask ?? text["rotate.ask"]}</span>
          <span class="actions">
            <button type="button" class="button primary" onClick={() => void change()}>
              {text["rotate.yes"]}
            </button>
            <button type="button" class="button" onClick={() => setAsked(false)}>
              {text["rotate.no"]}
            </button>
          </span>
        </div>
      )}
      {said && (
        <p class={`note ${said === "failed" ? "danger" : "ok"}`} role="status">
          {text[said]}
        </p>
      )}
    </section>
  );
}
