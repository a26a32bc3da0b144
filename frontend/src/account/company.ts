// The account's own capture addresses, and what its statistics say of them.

import type { components as Matcher } from "../api/matcher";
import { dataOf, type Session } from "../api/session";
import type { Day } from "./chart";

export type CompanyAddress = Matcher["schemas"]["MintedAddress"];

export interface CompanyAddresses {
  active: CompanyAddress | undefined;
  /** Rotated, and still counting; the one that counts longest first. */
  grace: CompanyAddress[];
  /** Those that count no more, the newest first. */
  revoked: CompanyAddress[];
}

/** Sorts the addresses by what they are good for. A grace period that is over has ended. */
export function sorted(items: readonly CompanyAddress[], now: number): CompanyAddresses {
  const endOf = (one: CompanyAddress) => Date.parse(one.valid_until ?? "") || 0;
  const isIn = (one: CompanyAddress) => one.state === "grace" && endOf(one) > now;
  const active = items.find((one) => one.state === "active");
  return {
    active,
    grace: items.filter(isIn).sort((a, b) => endOf(b) - endOf(a)),
    revoked: items
      .filter((one) => one !== active && !isIn(one))
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at)),
  };
}

/** Returns how much mail of the company had no team member in it. */
export function withoutUser(days: readonly Day[]): number {
  return days.reduce((sum, day) => sum + (day.dismissed.no_user ?? 0), 0);
}

export async function addressesOf(
  session: Session,
  signal: AbortSignal,
): Promise<CompanyAddress[]> {
  const query = { scope: "account", limit: 200 } as const;
  const answer = await session.api.GET("/v1/capture-addresses", { params: { query }, signal });
  return dataOf(answer).items;
}

export async function make(session: Session): Promise<void> {
  dataOf(await session.api.POST("/v1/capture-addresses", { body: { scope: "account" } }));
}

export async function switchOff(session: Session, address: string): Promise<void> {
  const params = { path: { address } };
  dataOf(await session.api.DELETE("/v1/capture-addresses/{address}", { params }));
}
