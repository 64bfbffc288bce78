import type { Logger } from './logger.js';

/** After the first refusal for a reason, further ones are counted for so long and told in one line, in ms. */
const GATHER_MS = 10_000;

/**
 * Refused sign-ins: the first of each reason at once, those that follow within ten seconds as one line with their
 * number, so that a thousand clients with an old token don't write a thousand lines a second.
 */
export class RefusalsLog {
  readonly #logger: Logger;
  readonly #gathering = new Map<string, { times: number; readonly timer: NodeJS.Timeout }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param reason one of the few messages of a connect_error: no text of a client */
  refused(reason: string): void {
    const gathered = this.#gathering.get(reason);
    if (gathered) {
      gathered.times += 1;
      return;
    }
    this.#tell(reason, 1);
    const timer = setTimeout(() => this.#end(reason), GATHER_MS).unref();
    this.#gathering.set(reason, { times: 0, timer });
  }

  /** Tells what was gathered, at once. */
  close(): void {
    for (const [reason, { timer }] of this.#gathering) {
      clearTimeout(timer);
      this.#end(reason);
    }
  }

  #end(reason: string): void {
    const times = this.#gathering.get(reason)?.times ?? 0;
    this.#gathering.delete(reason);
    if (times > 0) this.#tell(reason, times);
  }

  #tell(reason: string, times: number): void {
    this.#logger.info({ reason, times }, 'a sign-in was refused');
  }
}
