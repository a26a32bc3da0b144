// How much mail waits for the reader's decision: a number beside the link to it.

import { useEffect, useState } from "preact/hooks";
import { dataOf, type Session } from "../api/session";
import { may } from "./scopes";

const PAUSE = 10_000; // milliseconds between two looks, however much happens
const MOST = 50;

/** Returns a number in words, such as `3` or `50+`; nothing if the reader may not decide. */
export function useHeld(session: Session): string {
  const [held, setHeld] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const ask = async () => {
      timer = undefined;
      if (!may((await session.claims()).scopes, "timeline:write")) return;
      const query = { limit: MOST };
      const page = dataOf(await session.api.GET("/v1/quarantine", { params: { query } }));
      const count = page.items.length;
      if (!ended) setHeld(count === 0 ? "" : `${count}${page.next_cursor ? "+" : ""}`);
    };
    const look = () => void ask().catch(() => undefined); // the quarantine says what is wrong
    const stop = session.events.listen((hint) => {
      if (hint.kind === "decided") look();
      else timer ??= setTimeout(look, PAUSE);
    });
    look();
    return () => {
      ended = true;
      clearTimeout(timer);
      stop();
    };
  }, [session]);
  return held;
}
