import { useCallback, useRef } from "preact/hooks";

/** Returns a function that stays the same, and calls the newest of those that it was given. */
export function useStable<Args extends unknown[], Result>(act: (...args: Args) => Result) {
  const current = useRef(act);
  current.current = act;
  return useCallback((...args: Args) => current.current(...args), []);
}
