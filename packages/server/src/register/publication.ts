import type { SessionId, Statistics } from '@rollcall/protocol';
import type { EncodedPayload } from '../encoded-payload.js';
import type { Entry } from '../journal/entries.js';
import type { Issuer, Outcome, OutcomeOf } from './command.js';
import type { SessionState } from './session-state.js';

/** A session's register as answers and events are made from it. */
export interface Register {
  readonly session_id: SessionId;
  readonly state: SessionState;
  readonly statistics: Statistics;
}

/** Who gives a command, and is answered. */
export interface Caller<Kind extends Outcome['kind']> extends Issuer {
  /**
   * Answers. Called once, in the turn of the event loop in which the entries become visible, at the place among the
   * broadcasts where the protocol wants the answer.
   */
  answer(outcome: OutcomeOf<Kind>, register: Register, publication: Publication): void;
}

/** What one command brought about, or one command of another node. */
export interface Publication {
  readonly entries: readonly Entry[];
  /** Answers who gave the command; absent where the entries were read from the journal. */
  readonly answer?: () => void;
  /** The record that a mark gave, as everyone may see it: encoded once, for the answer and for the broadcast. */
  record?: EncodedPayload;
}
