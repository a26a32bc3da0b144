// The inbox: a list, and beside it the conversation that was chosen.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { useKeys } from "../shared/keyboard";
import { Shortcuts } from "../shared/Shortcuts";
import { Empty, Failure, Skeleton } from "../shared/state";
import { useStable } from "../shared/use-stable";
import { type Conversation, everything, type Filter, markAll } from "./conversations";
import { ListPane } from "./ListPane";
import * as lists from "./list";
import { Toolbar } from "./Toolbar";
import { useConversationView } from "./use-conversation-view";
import { useList } from "./use-list";
import { useLost, useUnread } from "./use-unread";
import type { ListHandle } from "./VirtualList";

export interface InboxProps {
  chosen: string | undefined;
  choose: (id: string | undefined) => void;
  openPerson: (id: string) => void;
  onUnread: (count: number) => void;
  /** Leads to the set-up, where the page around has one. */
  openSetup: (() => void) | undefined;
}

export function Inbox({ chosen, choose, openPerson, onUnread, openSetup }: InboxProps) {
  const session = useSession();
  const { text } = useLanguage();
  const [filter, setFilter] = useState<Filter>(everything);
  const [help, setHelp] = useState(false);
  const [said, setSaid] = useState("");
  const live = useList(session, filter);
  const unread = useUnread(session, onUnread);
  const lost = useLost(session);
  const {
    view: View,
    error: viewError,
    again,
  } = useConversationView(chosen !== undefined, live.list.next !== undefined);
  const handle = useRef<ListHandle>(null);
  const field = useRef<HTMLInputElement>(null);
  const cursor = useRef(chosen);
  useEffect(() => {
    if (chosen) cursor.current = chosen;
  }, [chosen]);
  useEffect(
    () => setSaid(live.waiting > 0 ? text["inbox.new"](live.waiting) : ""),
    [live.waiting, text],
  );

  const change = (next: Partial<Filter>) => {
    handle.current?.toTop();
    setFilter((before) => ({ ...before, ...next }));
  };
  const open = useStable((item: Conversation) => choose(item.id));
  const step = (by: number) => {
    const place = cursor.current ? lists.placeOf(live.list, cursor.current) : -1;
    const next = place < 0 ? 0 : Math.max(0, Math.min(place + by, lists.lengthOf(live.list) - 1));
    const [item] = lists.slice(live.list, next, next + 1);
    if (!item) return;
    cursor.current = item.id;
    handle.current?.reveal(next, chosen === undefined);
    if (chosen !== undefined) choose(item.id);
  };
  const toggleRead = () => {
    const item = cursor.current ? lists.find(live.list, cursor.current) : undefined;
    if (item) void live.mark(item.id, !item.unread).then(unread.again);
  };
  const backToList = () => {
    const place = cursor.current ? lists.placeOf(live.list, cursor.current) : -1;
    choose(undefined);
    if (place >= 0) requestAnimationFrame(() => handle.current?.reveal(place, true));
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    o: () => choose(cursor.current),
    u: backToList,
    e: toggleRead,
    "/": () => {
      field.current?.focus();
      field.current?.select();
    },
    "?": () => setHelp(true),
  });
  const keys = useMemo<[string, string][]>(
    () => [
      ["j", text["keys.next"]],
      ["k", text["keys.previous"]],
      ["o", text["keys.open"]],
      ["u", text["keys.up"]],
      ["e", text["keys.read"]],
      ["/", text["keys.search"]],
      ["?", text["keys.help"]],
    ],
    [text],
  );
  return (
    <div class="inbox" data-chosen={chosen !== undefined}>
      <section class="list" aria-label={text.inbox}>
        <Toolbar
          filter={filter}
          change={change}
          unread={unread.count}
          readAll={async () => {
            await markAll(session, new Date());
            live.readAll();
            unread.again();
            setSaid(text["inbox.mark-all.done"]);
          }}
          known={() => lists.held(live.list)}
          field={field}
        />
        {lost && !live.error && (
          <p class="lost" role="status">
            {text["live.lost"]}
          </p>
        )}
        <ListPane
          live={live}
          filter={filter}
          reset={() => setFilter(everything)}
          chosen={chosen}
          open={open}
          handle={handle}
          openSetup={openSetup}
        />
        <div class="sr" role="status">
          {said}
        </div>
      </section>
      {chosen && !View ? (
        <div class="nothing">
          {viewError ? <Failure error={viewError} retry={again} /> : <Skeleton rows={4} />}
        </div>
      ) : chosen && View ? (
        <View
          key={chosen}
          id={chosen}
          back={backToList}
          openPerson={openPerson}
          onRead={(isUnread) => {
            live.setUnread(chosen, isUnread);
            unread.again();
          }}
        />
      ) : (
        <div class="nothing">
          {lists.lengthOf(live.list) > 0 && (
            <Empty icon="inbox" title={text["conversation.choose"]}>
              <p class="quiet">{text["conversation.choose.what"]}</p>
            </Empty>
          )}
        </div>
      )}
      {help && <Shortcuts keys={keys} close={() => setHelp(false)} />}
    </div>
  );
}
