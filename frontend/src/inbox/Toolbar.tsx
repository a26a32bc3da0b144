// What is shown of the inbox, and what is done to all of it.

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { Popover } from "../shared/Popover";
import type { Conversation, Filter } from "./conversations";
import { SearchBox } from "./SearchBox";

export interface ToolbarProps {
  filter: Filter;
  change: (filter: Partial<Filter>) => void;
  unread: { unread: number; more: boolean } | undefined;
  readAll: () => Promise<void>;
  known: () => readonly Conversation[];
  field: RefObject<HTMLInputElement | null>;
}

export function Toolbar({ filter, change, unread, readAll, known, field }: ToolbarProps) {
  const { text, number } = useLanguage();
  const [failed, setFailed] = useState(false);
  const count = unread && unread.unread > 0 ? number(unread.unread) + (unread.more ? "+" : "") : "";
  return (
    <div class="tools">
      <SearchBox
        q={filter.q}
        search={(q) => change({ q })}
        choosePerson={(id, name) => change({ person: { id, name } })}
        known={known}
        field={field}
      />
      <div class="filters">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend on its line */}
        <div class="segments" role="group" aria-label={text["inbox.filters"]}>
          <button
            type="button"
            aria-pressed={!filter.unread}
            onClick={() => change({ unread: false })}
          >
            {text["inbox.all"]}
          </button>
          <button
            type="button"
            aria-pressed={filter.unread}
            onClick={() => change({ unread: true })}
          >
            {text["inbox.unread"]}
            {count && <span class="count">{count}</span>}
          </button>
        </div>
        <button
          type="button"
          class="toggle"
          aria-pressed={filter.mine}
          title={text["inbox.mine.what"]}
          onClick={() => change({ mine: !filter.mine })}
        >
          {text["inbox.mine"]}
        </button>
        <Popover label={text["inbox.mark-all"]} icon="check-all" class="mark-all">
          {(close) => (
            <>
              <p>{text["inbox.mark-all.ask"]}</p>
              {failed && <p role="alert">{text["inbox.mark-all.failed"]}</p>}
              <button
                type="button"
                class="button primary"
                onClick={() => {
                  setFailed(false);
                  readAll().then(close, () => setFailed(true));
                }}
              >
                {text["inbox.mark-all"]}
              </button>
            </>
          )}
        </Popover>
      </div>
      {filter.person && (
        <button
          type="button"
          class="chip"
          aria-label={text["action.remove"](text["person.filter"](filter.person.name))}
          onClick={() => change({ person: undefined })}
        >
          <span>{text["person.filter"](filter.person.name)}</span>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
