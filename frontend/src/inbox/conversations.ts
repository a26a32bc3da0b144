// The pages of an inbox, as the API gives them.

import { dataOf, type Session } from "../api/session";
import type { components } from "../api/timeline";

export type Conversation = components["schemas"]["ConversationOut"];

export interface Filter {
  q?: string;
  unread?: boolean;
  mine?: boolean;
  person?: string;
}

export interface Page {
  items: Conversation[];
  next: string | undefined;
}

export async function pageOf(
  session: Session,
  filter: Filter,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const query = {
    limit: 50,
    ...(cursor && { cursor }),
    ...(filter.q && { q: filter.q }),
    ...(filter.unread && { unread: true }),
    ...(filter.mine && { owner: "me" as const }),
    ...(filter.person && { person_id: filter.person }),
  };
  const data = dataOf(await session.api.GET("/v1/inbox", { params: { query }, signal }));
  return { items: data.items, next: data.next_cursor ?? undefined };
}
