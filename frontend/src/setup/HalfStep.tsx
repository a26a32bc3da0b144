// One half of the set-up: its steps, folded away once it works.

import type { ComponentChildren } from "preact";
import { GuideSteps } from "./GuideSteps";
import { Step } from "./Step";
import type { GuideHalf, Guides, Half } from "./shapes";
import { useSetupText } from "./texts";

export interface HalfStepProps {
  number: number;
  name: "sent" | "received" | "both";
  guides: Guides;
  steps: GuideHalf | null | undefined;
  half: Half | undefined;
  /** What helps while the half does not work yet. */
  children?: ComponentChildren;
}

export function HalfStep({ number, name, guides, steps, half, children }: HalfStepProps) {
  const text = useSetupText();
  const working = half?.state === "working";
  const needs = name === "sent" ? [] : (guides.guide.needs ?? []);
  const how = steps ? text[`guide.automatic.${steps.automatic}`] : "";
  const shown = steps ? (
    <>
      <p class="tags">
        {how && <span class="badge">{how}</span>}
        {needs.map((need) => (
          <span key={need} class="badge">
            {text[`guide.need.${need}`]}
          </span>
        ))}
      </p>
      {needs.includes("account_capture_address") && !guides.values.account_capture_address && (
        <p class="note">{text["guide.no-account-address"]}</p>
      )}
      <GuideSteps half={steps} values={guides.values} language={guides.language} />
    </>
  ) : (
    <p class="quiet">{text["guide.nothing"]}</p>
  );
  return (
    <Step
      number={number}
      title={text[`${name}.title`]}
      what={text[`${name}.what`]}
      done={working}
      half={half}
    >
      {working ? (
        <details class="more">
          <summary>
            {text["guide.for"]} {guides.guide.name}
          </summary>
          {shown}
        </details>
      ) : (
        <>
          {shown}
          {children}
        </>
      )}
    </Step>
  );
}
