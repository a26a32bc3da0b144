// Whether it works: a test mail that has to come back, or what to try by hand.

import { useState } from "preact/hooks";
import { Problem } from "../api/session";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { call } from "./calls";
import { missingHalf } from "./progress";
import { Step } from "./Step";
import type { RoundTrip, Setup } from "./shapes";
import { useSetupText } from "./texts";

export interface CheckStepProps {
  number: number;
  setup: Setup;
  mailbox: string | null;
  again: () => void;
}

export function CheckStep({ number, setup, mailbox, again }: CheckStepProps) {
  const session = useSession();
  const text = useSetupText();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [without, setWithout] = useState(false);
  const missing = missingHalf(setup);
  const done = missing === undefined;
  const prove = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await call(session, "POST", "/v1/setup:prove", mailbox ? { address: mailbox } : undefined);
      again();
    } catch (error) {
      // No relay is configured, so the test mail has to come from a person.
      if (error instanceof Problem && error.code === "no_relay") setWithout(true);
      else setProblem(error instanceof Problem && error.message ? error.message : text.failed);
    } finally {
      setBusy(false);
    }
  };
  const hasRoundTrips = setup.round_trip !== undefined && !without;
  return (
    <Step number={number} title={text["check.title"]} done={done}>
      <p class="quiet">{text[missing ? (`check.what.${missing}` as const) : "check.done"]}</p>
      {setup.round_trip && <RoundTripState trip={setup.round_trip} />}
      {hasRoundTrips && mailbox && !done && missing !== "sent" && (
        <p class="line">
          <button type="button" class="button" disabled={busy} onClick={() => void prove()}>
            {setup.round_trip ? text["prove.again"] : text["prove.act"]}
          </button>
          <span class="quiet small">{text["prove.what"](mailbox)}</span>
        </p>
      )}
      {without && mailbox && (
        <p class="note" role="status">
          {text["prove.none"](mailbox)}
        </p>
      )}
      {problem && (
        <p class="note danger" role="alert">
          {problem}
        </p>
      )}
    </Step>
  );
}

function RoundTripState({ trip }: { trip: RoundTrip }) {
  const text = useSetupText();
  const { moment } = useLanguage();
  if (trip.state === "sent")
    return (
      <p class="note" role="status">
        {text["prove.sent"](moment(new Date(trip.sent_at)))}
      </p>
    );
  if (trip.state === "returned")
    return (
      <p class="note ok" role="status">
        {text["prove.returned"](moment(new Date(trip.at)))}
      </p>
    );
  return (
    <div class="note warn" role="status">
      <p>{text[`prove.${trip.state}`]}</p>
      {trip.reason && <p lang="en">{trip.reason}</p>}
      {trip.advice && <p lang="en">{trip.advice}</p>}
    </div>
  );
}
