// The current set-up: fetched again on a hint, and periodically while something is awaited.

import { useEffect } from "preact/hooks";
import type { Session } from "../api/session";
import { type Fetched, useFetched } from "../shared/use-fetched";
import { setupOf } from "./calls";
import { isDone } from "./progress";
import type { Setup } from "./shapes";

const LOOK_AGAIN = 8000; // milliseconds

export function useSetup(session: Session): Fetched<Setup> {
  const fetched = useFetched((signal) => setupOf(session, signal), [session]);
  const { value, again } = fetched;
  useEffect(() => session.events.listen(() => again()), [session, again]);
  const done = value !== undefined && isDone(value);
  useEffect(() => {
    if (done) return;
    const timer = setInterval(() => document.hidden || again(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [done, again]);
  return fetched;
}
