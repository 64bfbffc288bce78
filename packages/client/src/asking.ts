import { backoff, type Pause } from './delays.js';
import { RollcallClientError } from './errors.js';
import type { Answer, Caller, Payload } from './events.js';

/** Between two requests for what a live session can't go on without; milliseconds. */
export const ASKING_DELAY = { min: 100, max: 5_000 };

type Question = 'getAttendanceSessionData' | 'joinAttendanceSession' | 'getOnlineStudents';

/** Asks the server until there is an answer, for a live session whose user sets no deadline. */
export class Asking {
  readonly #caller: Caller;
  readonly #pause: Pause;
  readonly #over: () => boolean;
  readonly #gone = new AbortController();

  /**
   * @param pause waits between two requests
   * @param over says that no answer is needed any more
   */
  constructor(caller: Caller, pause: Pause, over: () => boolean) {
    this.#caller = caller;
    this.#pause = pause;
    this.#over = over;
  }

  /** Gives up what is being asked, and whatever will be. */
  stop(): void {
    this.#gone.abort();
    this.#pause.wake();
  }

  /** @throws {RollcallClientError} a refusal that won't pass or came when it was over, or ABORTED after `stop` */
  async until<Name extends Question>(event: Name, payload: Payload<Name>): Promise<Answer<Name>> {
    const options = { deadline: Number.POSITIVE_INFINITY, signal: this.#gone.signal };
    for (let tries = 0; ; tries++) {
      try {
        return await this.#caller.request(event, payload, options);
      } catch (error) {
        if (!(error instanceof RollcallClientError && error.retryable) || this.#over()) throw error;
        await this.#pause.wait(Math.max((error.details?.retry_after ?? 0) * 1_000, backoff(tries, ASKING_DELAY)));
      }
    }
  }
}
