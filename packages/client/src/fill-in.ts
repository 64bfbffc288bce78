import type { AttendanceRecord } from '@rollcall/protocol';
import type { Asking } from './asking.js';
import type { Pause } from './delays.js';

/** Milliseconds between two readings of the whole roster while students are being added to it. */
const PAUSE_MS = 250;

interface FillInOptions {
  readonly session_id: string;
  readonly asking: Asking;
  readonly pause: Pause;
  /** Takes records that were read. */
  take(records: readonly AttendanceRecord[]): void;
  failed(error: unknown): void;
}

/** Reads the whole roster where students were added to it whose records this client doesn't have. */
export class FillIn {
  readonly #options: FillInOptions;
  /** True while a record is missing or incomplete because its student was added. */
  #incomplete = false;
  #reading: Promise<void> | undefined;

  constructor(options: FillInOptions) {
    this.#options = options;
  }

  get needed(): boolean {
    return this.#incomplete;
  }

  /** A record is missing or incomplete. */
  need(): void {
    this.#incomplete = true;
  }

  /** Every record is here, or none is needed any more. */
  forget(): void {
    this.#incomplete = false;
  }

  /** Resolves once every record was read. One reading at a time: what is missing meanwhile is read after it. */
  run(): Promise<void> {
    this.#reading ??= this.#read()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { session_id, asking, pause, take } = this.#options;
    while (this.#incomplete) {
      this.#incomplete = false;
      const answer = await asking.until('getAttendanceSessionData', { session_id });
      take('attendanceRecords' in answer ? answer.attendanceRecords : []);
      if (this.#incomplete) await pause.wait(PAUSE_MS);
    }
  }
}
