// What the API returns about a set-up. A part that an installation does not have is undefined and not shown.

import type { components as Matcher } from "../api/matcher";
import type { components as Timeline } from "../api/timeline";

export type Guides = Matcher["schemas"]["GuidesOut"];
export type GuideHalf = Matcher["schemas"]["GuideHalf"];
export type Confirmation = Timeline["schemas"]["ConfirmationOut"];

export type HalfName = "sent" | "received";
export type HalfState = "nothing_yet" | "awaiting_confirmation" | "working" | "silent";

export interface Half {
  state: HalfState;
  first_seen_at?: string | null;
  last_seen_at?: string | null;
}

export interface Watched {
  received_at: string;
  sender: { name: string; address: string } | null;
  subject: string;
  text: string;
  links: string[];
}

export interface Notice {
  kind: string;
  since: string;
  half?: HalfName | null;
  capture_address?: string | null;
  mail_date?: string | null;
  provider?: string | null;
}

export interface RoundTrip {
  state: "sent" | "returned" | "bounced" | "failed" | "lost";
  address: string;
  sent_at: string;
  at: string;
  reason?: string | null;
  advice?: string | null;
}

export interface Setup {
  capture_addresses: Timeline["schemas"]["CaptureAddressOut"][];
  confirmations: Confirmation[];
  halves?: Record<HalfName, Half>;
  watched?: Watched[];
  notices?: Notice[];
  /** null: there was none; undefined: this installation has no round trips. */
  round_trip?: RoundTrip | null;
}

export interface NeverList {
  addresses: string[];
  domains: string[];
}
