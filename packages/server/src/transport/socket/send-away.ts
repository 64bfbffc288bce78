/** So many clients are sent away in a second, where the time allows it. */
const PER_SECOND = 1_000;
/** Longest time for all of them, in ms: it leaves as much of a stop's 10 s for what has to follow. */
const WITHIN_MS = 4_000;
const STEP_MS = 20;

/**
 * Sends clients away one after another, since thousands that come back in one moment would take the other nodes'
 * breath: 1,000 a second, or all within 4 s. Resolves once the last one was told to go.
 */
export function sendAway(goodbyes: ReadonlyArray<() => void>): Promise<void> {
  const lastsMs = Math.min(WITHIN_MS, (goodbyes.length / PER_SECOND) * 1_000);
  const began = performance.now();
  let gone = 0;
  return new Promise((resolve) => {
    const step = (): void => {
      const elapsed = performance.now() - began;
      const due = elapsed >= lastsMs ? goodbyes.length : Math.ceil((goodbyes.length * elapsed) / lastsMs);
      for (const goodbye of goodbyes.slice(gone, due)) goodbye();
      gone = due;
      if (gone < goodbyes.length) setTimeout(step, STEP_MS);
      else resolve();
    };
    step();
  });
}
