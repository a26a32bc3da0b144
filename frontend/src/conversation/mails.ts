// The mails of a conversation, as the API gives them.

import { dataOf, Offline, Problem, type Session } from "../api/session";
import type { components } from "../api/timeline";

export type Mail = components["schemas"]["MailOut"];
export type MailDetail = components["schemas"]["MailDetail"];
export type ConversationDetail = components["schemas"]["ConversationDetail"];

export async function conversationOf(
  session: Session,
  id: string,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<ConversationDetail> {
  const params = { path: { conversation_id: id }, query: cursor ? { cursor } : {} };
  return dataOf(
    await session.api.GET("/v1/conversations/{conversation_id}", {
      params,
      ...(signal && { signal }),
    }),
  );
}

/** Returns a variant of a mail as its sender designed it. */
export async function mailOf(
  session: Session,
  id: string,
  variant: string,
  signal: AbortSignal,
): Promise<MailDetail> {
  const params = { path: { mail_id: id, variant }, query: { styles: "inline" as const } };
  return dataOf(
    await session.api.GET("/v1/mails/{mail_id}/variants/{variant}", { params, signal }),
  );
}

/** Returns bytes that a frame or a link cannot ask for, since they cannot send a token. */
export async function bytesOf(session: Session, path: string, signal?: AbortSignal): Promise<Blob> {
  const answer = await session.fetch(
    new Request(new URL(path, session.base), { ...(signal && { signal }) }),
  );
  if (!answer.ok) throw new Problem(answer.status, "");
  try {
    return await answer.blob();
  } catch {
    throw new Offline();
  }
}

export async function download(session: Session, path: string, name: string): Promise<void> {
  save(await bytesOf(session, path), name);
}

/** Gives bytes to the browser as a file to save: it neither shows nor runs them. */
export function save(content: Blob | string, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Returns the name of a person whom a mail is about, if the directory has one. */
export function nameOf(mail: Pick<Mail, "people">, id: string): string {
  return mail.people.find((person) => person.person_id === id)?.name || id;
}

export function nameOfAddress(one: { name: string; address: string } | null | undefined): string {
  return one ? one.name || one.address : "";
}
