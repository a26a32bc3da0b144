// One step of the set-up: its number or a tick, its title, how far it is.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import type { Half } from "./shapes";
import { useSetupText } from "./texts";

export interface StepProps {
  number: number;
  title: string;
  what?: string;
  done?: boolean;
  half?: Half | undefined;
  children: ComponentChildren;
}

export function Step({ number, title, what, done = false, half, children }: StepProps) {
  const id = useId();
  return (
    <section class="step" data-done={done} data-state={half?.state} aria-labelledby={id}>
      <span class="number" aria-hidden="true">
        {done ? <Icon name="check" /> : number}
      </span>
      <div class="step-body">
        <header>
          <h2 id={id}>{title}</h2>
          {half && <StateBadge half={half} />}
        </header>
        {what && <p class="quiet">{what}</p>}
        {children}
      </div>
    </section>
  );
}

const TONES = {
  nothing_yet: "",
  awaiting_confirmation: "warn",
  working: "ok",
  silent: "danger",
} as const;

function StateBadge({ half }: { half: Half }) {
  const text = useSetupText();
  const { moment } = useLanguage();
  const seen = half.last_seen_at ? moment(new Date(half.last_seen_at)) : undefined;
  return (
    <>
      <span class={`badge ${TONES[half.state]}`} role="status">
        {text[`state.${half.state}`]}
      </span>
      {seen && (half.state === "working" || half.state === "silent") && (
        <span class="quiet small">{text["state.seen"](seen)}</span>
      )}
    </>
  );
}
