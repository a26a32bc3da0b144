// Loading, empty, error, offline, signed out, forbidden: said in one place, the same everywhere.

import type { ComponentChildren } from "preact";
import { Offline, Problem } from "../api/session";
import { useLanguage } from "../i18n";
import { Icon, type IconName } from "./Icon";

export function Skeleton({ rows }: { rows: number }) {
  const { text } = useLanguage();
  return (
    <div class="skeleton" role="status" aria-label={text["state.loading"]}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <div key={row} class="skeleton-row" />
      ))}
    </div>
  );
}

/** An empty list: what that means, and what to do next. */
export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const { text } = useLanguage();
  const kind = kindOf(error);
  return (
    <div class="failure" role="alert">
      <Icon name={icons[kind]} />
      <h2>{text[`state.${kind}`]}</h2>
      <p class="quiet">{text[`state.${kind}.what`]}</p>
      {kind !== "forbidden" && kind !== "missing" && kind !== "invalid" && (
        <button type="button" class="button" onClick={retry}>
          <Icon name="retry" />
          {text["state.retry"]}
        </button>
      )}
    </div>
  );
}

export type FailureKind = "offline" | "expired" | "forbidden" | "missing" | "invalid" | "error";

const icons: Record<FailureKind, IconName> = {
  offline: "offline",
  expired: "lock",
  forbidden: "lock",
  missing: "search",
  invalid: "search",
  error: "alert",
};

export function kindOf(error: unknown): FailureKind {
  if (error instanceof Offline) return "offline";
  if (!(error instanceof Problem)) return "error";
  if (error.status === 401) return "expired";
  if (error.status === 403) return "forbidden";
  if (error.status === 404) return "missing";
  return error.status === 400 || error.status === 422 ? "invalid" : "error";
}
