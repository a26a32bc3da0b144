// One half of the set-up: its steps, folded away once it works.

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
}

export function HalfStep({ number, name, guides, steps, half }: HalfStepProps) {
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
      <GuideSteps half={steps} values={guides.values} />
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
        shown
      )}
    </Step>
  );
}
