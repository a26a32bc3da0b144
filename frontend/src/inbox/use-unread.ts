import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { StreamState } from "../api/events";
import type { Session } from "../api/session";
import { useStable } from "../shared/use-stable";
import { unreadCount } from "./conversations";

const PAUSE = 1500; // milliseconds: a number beside a word need not be the first to know
const LOST_AFTER = 3000; // milliseconds: a stream that comes back at once was not lost

/** How much is unread, now and after each change. */
export function useUnread(session: Session, tell: (count: number) => void) {
  const [count, setCount] = useState<{ unread: number; more: boolean }>();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const told = useStable(tell);
  const ask = useCallback(async () => {
    timer.current = undefined;
    try {
      const now = await unreadCount(session);
      setCount(now);
      told(now.unread);
    } catch {
      // The list says what is wrong.
    }
  }, [session, told]);
  const again = useCallback(() => {
    timer.current ??= setTimeout(() => void ask(), PAUSE);
  }, [ask]);
  useEffect(() => {
    void ask();
    const stop = session.events.listen(again);
    return () => {
      stop();
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [session, ask, again]);
  return { count, again };
}

/** Whether live updates have stopped for longer than a moment. */
export function useLost(session: Session): boolean {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = (state: StreamState) => {
      clearTimeout(timer);
      if (state === "live") setLost(false);
      else timer = setTimeout(() => setLost(true), LOST_AFTER);
    };
    const stop = session.events.listen(() => {}, heard);
    // Another view may have opened the stream, and it may be lost already.
    if (session.events.state === "lost") heard("lost");
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [session]);
  return lost;
}
