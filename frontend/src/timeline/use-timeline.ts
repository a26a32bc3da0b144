import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { dataOf, type Session } from "../api/session";
import type { components } from "../api/timeline";
import type { Mail } from "../conversation/mails";

export type Person = components["schemas"]["ProfileOut"];
type Page = components["schemas"]["MailList"];

const PAUSE = 1000; // milliseconds between two looks at what is new
const PAGE = 50;

async function pageOf(session: Session, person: string, cursor: string | undefined) {
  const params = {
    path: { person_id: person },
    query: { limit: PAGE, ...(cursor && { cursor }) },
  };
  return dataOf(await session.api.GET("/v1/profiles/{person_id}/timeline", { params }));
}

/** A profile's mails: loaded as they are scrolled, followed as they arrive. */
export function useTimeline(session: Session, id: string) {
  const [mails, setMails] = useState<Mail[]>();
  const [person, setPerson] = useState<Person | null>(null);
  const [hidden, setHidden] = useState<Page["hidden"]>(null);
  const [next, setNext] = useState<string | null>();
  const [error, setError] = useState<unknown>();
  const loading = useRef(false);
  const current = useRef(id);
  current.current = id;
  const shown = useRef(0);
  shown.current = mails?.length ?? 0;

  const load = useCallback(
    async (cursor: string | undefined) => {
      if (loading.current) return;
      loading.current = true;
      setError(undefined);
      try {
        const page = await pageOf(session, id, cursor);
        if (current.current !== id) return;
        setPerson(page.person);
        setHidden(page.hidden);
        setNext(page.next_cursor);
        setMails((before) => joined(cursor ? (before ?? []) : [], page.items));
      } catch (failure) {
        if (current.current === id) setError(failure);
      } finally {
        loading.current = false;
      }
    },
    [session, id],
  );
  useEffect(() => {
    setMails(undefined);
    setNext(undefined);
    void load(undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      timer = undefined;
      try {
        const page = await pageOf(session, id, undefined);
        if (current.current !== id) return;
        setPerson(page.person);
        setHidden(page.hidden);
        setMails((before) => before && joined(page.items, page.hidden ? [] : before));
      } catch {
        // What is shown stays.
      }
    };
    let mustReload = false;
    const reload = async () => {
      timer = loading.current ? setTimeout(() => void reload(), PAUSE) : undefined;
      if (timer) return;
      mustReload = false;
      loading.current = true;
      try {
        let items: Mail[] = [];
        let page: Awaited<ReturnType<typeof pageOf>>;
        let cursor: string | undefined;
        do {
          page = await pageOf(session, id, cursor);
          items = joined(items, page.items);
          cursor = page.next_cursor ?? undefined;
        } while (cursor && items.length < shown.current);
        if (current.current !== id) return;
        setPerson(page.person);
        setHidden(page.hidden);
        setNext(page.next_cursor);
        setMails(items);
      } catch {
        // What is shown stays.
      } finally {
        loading.current = false;
      }
    };
    const stop = session.events.listen((hint) => {
      if (hint.kind === "ready") return;
      mustReload ||= hint.kind === "refetch"; // profiles may have been merged: mails of then, too
      timer ??= setTimeout(() => void (mustReload ? reload() : look()), PAUSE);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [session, id, load]);
  return { mails, person, hidden, next, error, load };
}

/** Returns two runs of mails as one, newest first; a mail of both is as the first has it. */
function joined(first: readonly Mail[], then: readonly Mail[]): Mail[] {
  const known = new Set(first.map((mail) => mail.id));
  const all = [...first, ...then.filter((mail) => !known.has(mail.id))];
  return all.sort((one, other) => other.date.localeCompare(one.date));
}
