/** Tells how far a long command is, on a terminal; says nothing when piped, so that logs and scripts stay clean. */
export class Progress {
  readonly #terminal = process.stderr.isTTY === true;
  #shown = '';

  show(text: string): void {
    if (!this.#terminal || text === this.#shown) return;
    this.#shown = text;
    process.stderr.write(`\r\u001b[K${text}`);
  }

  /** Clears the line, so that what is printed next stands alone. */
  done(): void {
    if (this.#shown !== '') process.stderr.write('\r\u001b[K');
    this.#shown = '';
  }
}
