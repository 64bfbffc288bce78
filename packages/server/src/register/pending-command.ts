import type { Entry } from '../journal/entries.js';
import type { CodeAttempt } from './check-in-codes.js';
import type { Caller, Circumstances, Command, CommandType, Decision, OutcomeOf, Repeated } from './command.js';
import { decide } from './decide.js';
import type { DecisionTarget } from './making-entries.js';

interface Refused {
  readonly error: unknown;
}

/** A command of a session that waits for its commit, until it is answered or refused. */
export class PendingCommand<Type extends CommandType = CommandType> {
  readonly command: Command<Type>;
  readonly caller: Caller<Type>;
  /** Resolves once the caller was answered. */
  readonly done: Promise<OutcomeOf<Type>>;
  /** What became of it; it is decided anew where another writer came first. */
  decided: Decision<Type> | Repeated | Refused | undefined;
  readonly #attempt: CodeAttempt | undefined;
  // Methods and not functions: a command of one type is then a command of any.
  #settle: { resolve(outcome: OutcomeOf<Type>): void; reject(error: unknown): void } = { resolve() {}, reject() {} };

  /** @param attempt of a check-in whose session asks for a code */
  constructor(command: Command<Type>, caller: Caller<Type>, attempt: CodeAttempt | undefined) {
    this.command = command;
    this.caller = caller;
    this.#attempt = attempt;
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  decide(draft: DecisionTarget, at: number, newRecordId: () => string): void {
    const { actor, op_id, event } = this.caller;
    const judge: Circumstances['judge'] = (studentId, code) => this.#attempt?.judge(studentId, code) ?? 'missing';
    try {
      this.decided = decide(draft, this.command, { at, actor, op_id, event, newRecordId, judge });
    } catch (error) {
      this.decided = { error };
    }
  }

  /** None before it is decided, and where nothing changes. */
  get entries(): readonly Entry[] {
    return this.decided && 'entries' in this.decided ? this.decided.entries : [];
  }

  /** A refusal, or a mark that changes nothing: neither would hold if another node had written something since. */
  get needsFreshState(): boolean {
    const { decided } = this;
    if (!decided || 'error' in decided) return true;
    if ('repeated' in decided || decided.entries.length > 0) return false;
    return decided.outcome.kind !== 'check_in';
  }

  resolve(outcome: OutcomeOf<Type>): void {
    this.#attempt?.settle(undefined);
    this.#settle.resolve(outcome);
  }

  reject(error: unknown): void {
    this.#attempt?.settle(error);
    this.#settle.reject(error);
  }
}
