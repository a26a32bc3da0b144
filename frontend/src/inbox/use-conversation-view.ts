import { useContext, useEffect, useState } from "preact/hooks";
import { StylesContext } from "../shared/context";

type View = typeof import("../conversation/view");

const SOON = 300; // milliseconds after the list is shown: preloads, so that the first conversation opens at once

/** Returns the code of a conversation: fetched when one is opened, or soon after the list is shown. */
export function useConversationView(wanted: boolean, listShown: boolean) {
  const adopt = useContext(StylesContext);
  const [view, setView] = useState<View["ConversationView"]>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tried again for each round
  useEffect(() => {
    if (view || !(wanted || listShown)) return;
    const load = () =>
      import("../conversation/view").then((found) => {
        adopt(found.css);
        setView(() => found.ConversationView);
      }, setError);
    if (wanted) {
      void load();
      return;
    }
    const timer = setTimeout(load, SOON);
    return () => clearTimeout(timer);
  }, [wanted, listShown, view, adopt, round]);
  const again = () => {
    setError(undefined);
    setRound((before) => before + 1);
  };
  return { view, error, again };
}
