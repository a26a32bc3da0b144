// The set-up of one user's mailbox, from nothing to both halves.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { AddressStep } from "./AddressStep";
import { CheckStep } from "./CheckStep";
import { guidesOf } from "./calls";
import { type Choice, GuidePicker } from "./GuidePicker";
import { HalfStep } from "./HalfStep";
import { NeverCapture } from "./NeverCapture";
import { Notices } from "./Notices";
import { halfOf, isDone, questionsOf } from "./progress";
import { Question } from "./Question";
import { Rotation } from "./Rotation";
import { Step } from "./Step";
import { useSetupText } from "./texts";
import { useSetup } from "./use-setup";
import { WatchWindow } from "./WatchWindow";

export function Setup() {
  const session = useSession();
  const text = useSetupText();
  const { code } = useLanguage();
  const [choice, setChoice] = useState<Choice>({});
  const setup = useSetup(session);
  const address = setup.value?.capture_addresses.find((one) => one.state === "active")?.address;
  const guides = useFetched(
    (signal) => guidesOf(session, { ...choice, language: code }, signal),
    [session, choice.guide, choice.address, address, code],
  );
  const extras = useRef<HTMLDivElement>(null);
  const error = (!setup.value && setup.error) || (!guides.value && guides.error);
  if (error)
    return (
      <Titled>
        <Failure
          error={error}
          retry={() => {
            setup.again();
            guides.again();
          }}
        />
      </Titled>
    );
  if (!setup.value || !guides.value)
    return (
      <Titled>
        <Skeleton rows={5} />
      </Titled>
    );
  const now = Date.now();
  const { guide } = guides.value;
  const parts = guide.both
    ? ([["both", guide.both, undefined]] as const)
    : ([
        ["received", guide.receives, halfOf(setup.value, "received", now)],
        ["sent", guide.sends, halfOf(setup.value, "sent", now)],
      ] as const);
  return (
    <div class="page setup">
      <div class="column">
        <header class="title">
          <h1>{text.title}</h1>
          <p class="quiet">{isDone(setup.value) ? text["lead.done"] : text["lead.new"]}</p>
        </header>
        {(setup.value.notices?.length ?? 0) > 0 && (
          <Notices
            notices={setup.value.notices ?? []}
            rotate={() => extras.current?.scrollIntoView({ behavior: "smooth" })}
          />
        )}
        <div aria-live="polite" class="questions">
          {questionsOf(setup.value, now).map((one) => (
            <Question
              key={`${one.at} ${one.code} ${one.link}`}
              question={one}
              mailboxes={guides.value?.mailboxes ?? []}
            />
          ))}
        </div>
        <Step number={1} title={text["address.title"]} done={address !== undefined}>
          <AddressStep setup={setup.value} again={setup.again} />
        </Step>
        {address && (
          <>
            <GuidePicker guides={guides.value} choose={setChoice} />
            {parts.map(([name, steps, half], index) => (
              <HalfStep
                key={name}
                number={index + 2}
                name={name}
                guides={guides.value as NonNullable<typeof guides.value>}
                steps={steps}
                half={half}
              >
                {name !== "sent" && setup.value?.watched && (
                  <WatchWindow watched={setup.value.watched} again={setup.again} />
                )}
              </HalfStep>
            ))}
            <CheckStep
              number={parts.length + 2}
              setup={setup.value}
              mailbox={guides.value.mailbox}
              again={setup.again}
            />
            <div ref={extras} class="extras">
              <Rotation address={address} again={setup.again} />
              <NeverCapture />
            </div>
          </>
        )}
      </div>
    </div>
  );
}

/** The page before there is anything on it: its title stands where it will. */
function Titled({ children }: { children: ComponentChildren }) {
  const text = useSetupText();
  return (
    <div class="page setup">
      <div class="column">
        <h1>{text.title}</h1>
        {children}
      </div>
    </div>
  );
}
