// The left side: tools, what is new, rows; and what stands there when there are none.

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { Empty, Failure, Skeleton } from "../shared/state";
import { useStable } from "../shared/use-stable";
import type { Conversation, Filter } from "./conversations";
import * as lists from "./list";
import { Row } from "./Row";
import type { LiveList } from "./use-list";
import { type ListHandle, VirtualList } from "./VirtualList";

const NEAR_THE_END = 12; // rows
const A_HAND_RESTS = 2000; // milliseconds after the pointer moved over the rows

export interface ListPaneProps {
  live: LiveList;
  filter: Filter;
  reset: () => void;
  chosen: string | undefined;
  open: (item: Conversation) => void;
  handle: RefObject<ListHandle | null>;
  openSetup: (() => void) | undefined;
}

export function ListPane(props: ListPaneProps) {
  const { live, filter, reset, chosen, open, handle, openSetup } = props;
  const { text } = useLanguage();
  const { list } = live;
  const length = lists.lengthOf(list);
  const handMoved = useRef(0);
  live.mayMove = () =>
    (handle.current?.isAtTop() ?? true) && Date.now() - handMoved.current > A_HAND_RESTS;
  const onSight = useStable((from: number, to: number) => {
    if (to >= length - NEAR_THE_END && !live.moreError) void live.more();
    void live.see(from, to);
  });
  if (live.error)
    return <Failure error={live.error} retry={() => void live.start().then(live.onChange)} />;
  if (list.next === undefined) return <Skeleton rows={8} />;
  if (length === 0 && list.next === null) return <NoRows {...{ filter, reset, openSetup }} />;
  return (
    // The pointer's place is looked at, nothing is done with it.
    <div
      class="rows"
      onPointerMove={() => {
        handMoved.current = Date.now();
      }}
      onPointerLeave={() => {
        handMoved.current = 0;
      }}
    >
      {live.waiting > 0 && (
        <button
          type="button"
          class="new"
          onClick={() => {
            live.show();
            handle.current?.toTop();
          }}
        >
          <Icon name="up" />
          {text["inbox.new"](live.waiting)}
        </button>
      )}
      <VirtualList
        label={text["inbox.conversations"]}
        length={length}
        ends={list.next === null}
        items={(from, to) => lists.slice(list, from, to)}
        keyOf={(item) => item.id}
        row={(item) =>
          item ? (
            <Row
              item={item}
              chosen={item.id === chosen}
              open={open}
              mark={(one, unread) => void live.mark(one.id, unread)}
            />
          ) : (
            <div class="skeleton-row" />
          )
        }
        onSight={onSight}
        handle={handle}
      >
        <div class="list-end quiet">
          {live.moreError ? (
            <span role="alert">
              {text["inbox.more-failed"]}{" "}
              <button type="button" class="link" onClick={() => void live.more()}>
                {text["state.retry"]}
              </button>
            </span>
          ) : list.next !== null ? (
            text["state.loading"]
          ) : live.partial > 0 ? (
            text["inbox.partial"](live.partial)
          ) : (
            text["inbox.end"]
          )}
        </div>
      </VirtualList>
    </div>
  );
}

function NoRows({
  filter,
  reset,
  openSetup,
}: Pick<ListPaneProps, "filter" | "reset" | "openSetup">) {
  const { text } = useLanguage();
  const { q, unread, mine, person } = filter;
  const alone = [q.trim(), unread, mine, person].filter(Boolean).length === 1;
  const kind =
    alone && unread
      ? ".unread"
      : alone && mine
        ? ".mine"
        : q.trim() || unread || mine || person
          ? ".found"
          : "";
  const icon = kind === ".unread" ? "check" : kind === ".found" ? "search" : "inbox";
  return (
    <Empty icon={icon} title={text[`inbox.empty${kind}`]}>
      <p class="quiet">{text[`inbox.empty${kind}.what`]}</p>
      {kind && (
        <button type="button" class="button" onClick={reset}>
          {text["inbox.empty.reset"]}
        </button>
      )}
      {!kind && openSetup && (
        <button type="button" class="button" onClick={openSetup}>
          <Icon name="setup" />
          {text["inbox.empty.setup"]}
        </button>
      )}
    </Empty>
  );
}
