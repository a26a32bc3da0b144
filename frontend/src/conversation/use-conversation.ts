import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem, type Session } from "../api/session";
import { mark } from "../inbox/conversations";
import { useStable } from "../shared/use-stable";
import { type ConversationDetail, conversationOf, type Mail } from "./mails";

const PAUSE = 500; // milliseconds from a hint to a look

/** A conversation that follows what happens; what is new waits until the reader wants it. */
export function useConversation(session: Session, id: string, onRead: (unread: boolean) => void) {
  const [value, setValue] = useState<ConversationDetail>();
  const [error, setError] = useState<unknown>();
  const [moreError, setMoreError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const [next, setNext] = useState<ConversationDetail>();
  const current = useRef<ConversationDetail | undefined>(undefined);
  current.current = value;
  const told = useStable(onRead);

  const read = useCallback(() => {
    told(false);
    void mark(session, id, false).catch(() => told(true));
  }, [session, id, told]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again for each round
  useEffect(() => {
    const abort = new AbortController();
    setError(undefined);
    conversationOf(session, id, undefined, abort.signal).then(
      (found) => {
        if (abort.signal.aborted) return;
        setValue({ ...found, unread: false });
        if (found.unread) read();
      },
      (failure: unknown) => {
        if (!abort.signal.aborted) setError(failure);
      },
    );
    return () => abort.abort();
  }, [session, id, round, read]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      timer = undefined;
      try {
        const found = await conversationOf(session, id, undefined);
        const known = current.current;
        if (!known) return;
        if (newIn(found, known) > 0) setNext(found);
        else setValue((before) => before && inPlace(before, found));
      } catch (failure) {
        // What is shown stays; the list says whether the connection is lost.
        if (!(failure instanceof Problem && failure.status === 404)) return;
        setValue(undefined);
        setError(failure);
      }
    };
    const stop = session.events.listen((hint) => {
      const about = hint.data.conversation_id;
      if (hint.kind === "refetch" || about === id) timer ??= setTimeout(() => void look(), PAUSE);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [session, id]);

  const show = () => {
    if (next) setValue({ ...next, unread: false });
    setNext(undefined);
    read();
  };
  const more = async () => {
    if (!value?.next_cursor) return;
    setMoreError(undefined);
    try {
      const page = await conversationOf(session, id, value.next_cursor);
      const known = new Set(value.mails.map((mail) => mail.id));
      const mails = [...value.mails, ...page.mails.filter((mail) => !known.has(mail.id))];
      setValue({ ...value, mails, next_cursor: page.next_cursor });
    } catch (failure) {
      setMoreError(failure);
    }
  };
  const again = () => setRound((before) => before + 1);
  const waiting = next && value ? newIn(next, value) : 0;
  return { value, error, again, waiting, show, more, moreError };
}

function newIn(found: ConversationDetail, known: ConversationDetail): number {
  const ids = new Set(known.mails.map((mail) => mail.id));
  const oldest = known.mails.at(-1)?.date ?? "";
  return found.mails.filter((mail) => !ids.has(mail.id) && mail.date >= oldest).length;
}

/** Marks that a mail has got meanwhile (a bounce, a capture), with nothing moved; without what was
 * deleted or hidden. */
function inPlace(before: ConversationDetail, found: ConversationDetail): ConversationDetail {
  const now = new Map(found.mails.map((mail) => [mail.id, mail]));
  const last = found.next_cursor ? (found.mails.at(-1)?.date ?? "") : "";
  const isThere = (mail: Mail) => now.has(mail.id) || mail.date <= last;
  return {
    ...before,
    profiles: found.profiles,
    unread: found.unread,
    mails: before.mails.filter(isThere).map((mail) => now.get(mail.id) ?? mail),
  };
}
