// Loading, error, offline, signed out, forbidden: said in one place, the same everywhere.

import { Offline, Problem } from "../api/session";
import { useLanguage } from "../i18n";

export function Skeleton({ rows }: { rows: number }) {
  const { text } = useLanguage();
  return (
    <div class="skeleton" role="status" aria-label={text["state.loading"]}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="skeleton-row" />
      ))}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const { text } = useLanguage();
  return (
    <div class="failure" role="alert">
      <p>{text[keyOf(error)]}</p>
      {error instanceof Problem && error.status !== 401 && error.message && (
        <p class="quiet">{error.message}</p>
      )}
      <button type="button" onClick={retry}>
        {text["state.retry"]}
      </button>
    </div>
  );
}

function keyOf(error: unknown) {
  if (error instanceof Offline) return "state.offline";
  if (error instanceof Problem && error.status === 401) return "state.expired";
  if (error instanceof Problem && error.status === 403) return "state.forbidden";
  return "state.error";
}
