const waiting: Array<() => void> = [];

/**
 * Calls once the sockets of this turn of the event loop have been read, in the order in which it was asked. What is
 * put off by what is called is called in the same go: sessions that commit at the end of a turn reach the database in
 * one message.
 */
export function atEndOfTurn(call: () => void): void {
  if (waiting.push(call) === 1) setImmediate(callAll);
}

function callAll(): void {
  let called = 0;
  try {
    while (called < waiting.length) {
      called += 1;
      waiting[called - 1]?.();
    }
  } finally {
    // What one of them throws must not keep the others waiting for good.
    waiting.splice(0, called);
    if (waiting.length > 0) setImmediate(callAll);
  }
}

/** A turn of the event loop that somebody asked about. */
export interface Turn {
  /** When it was asked about first, by `performance.now()`. */
  readonly began: number;
}

let turn: Turn | undefined;

/** The turn that is under way: another object in each. */
export function turnNow(): Turn {
  if (!turn) {
    turn = { began: performance.now() };
    setImmediate(() => {
      turn = undefined;
    });
  }
  return turn;
}
