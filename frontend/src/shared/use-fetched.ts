// What a view has fetched: nothing yet, an answer, or an error; fetched again on demand.

import { useCallback, useEffect, useState } from "preact/hooks";

export interface Fetched<T> {
  value: T | undefined;
  error: unknown;
  again: () => void;
}

/** Asks when a dependency changes. What was there stays until the new answer comes. */
export function useFetched<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
): Fetched<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names them
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        setValue(() => answer);
        setError(undefined);
      },
      (failure: unknown) => {
        if (!abort.signal.aborted) setError(failure);
      },
    );
    return () => abort.abort();
  }, [...dependencies, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { value, error, again };
}
