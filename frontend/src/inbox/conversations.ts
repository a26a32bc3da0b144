// The conversations of an inbox, as the API gives them.

import { dataOf, Problem, type Session } from "../api/session";
import type { components } from "../api/timeline";

export type Conversation = components["schemas"]["ConversationOut"];

export interface Filter {
  q: string;
  unread: boolean;
  mine: boolean;
  person: { id: string; name: string } | undefined;
}

export const everything: Filter = { q: "", unread: false, mine: false, person: undefined };

export interface Page {
  items: Conversation[];
  next: string | null;
  partial: number;
}

const PAGE = 50;

export async function pageOf(
  session: Session,
  filter: Filter,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<Page> {
  const query = {
    limit: PAGE,
    ...(cursor && { cursor }),
    ...(filter.q.trim() && { q: filter.q.trim() }),
    ...(filter.unread && { unread: true }),
    ...(filter.mine && { owner: "me" as const }),
    ...(filter.person && { person_id: filter.person.id }),
  };
  const answer = await session.api.GET("/v1/inbox", {
    params: { query },
    ...(signal && { signal }),
  });
  const data = dataOf(answer);
  return { items: data.items, next: data.next_cursor, partial: data.partial ?? 0 };
}

/** Returns a conversation's current state; undefined if it no longer exists. */
export async function oneOf(session: Session, id: string): Promise<Conversation | undefined> {
  const params = { path: { conversation_id: id }, query: { limit: 1 } };
  try {
    return dataOf(await session.api.GET("/v1/conversations/{conversation_id}", { params }));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}

export async function mark(session: Session, id: string, unread: boolean): Promise<void> {
  const params = { path: { conversation_id: id } };
  const path = unread
    ? ("/v1/conversations/{conversation_id}/unread" as const)
    : ("/v1/conversations/{conversation_id}/read" as const);
  dataOf(await session.api.PUT(path, { params }));
}

export async function markAll(session: Session, before: Date): Promise<void> {
  dataOf(await session.api.PUT("/v1/inbox/read", { body: { before: before.toISOString() } }));
}

export async function unreadCount(session: Session): Promise<{ unread: number; more: boolean }> {
  return dataOf(await session.api.GET("/v1/inbox/unread", {}));
}
