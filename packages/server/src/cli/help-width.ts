const WITHOUT_TERMINAL = 80;
/** Longer lines are hard to follow, however wide the terminal. */
const LONGEST = 100;

/** Columns in which a help text on this stream is set. */
export const helpWidth = (stream: NodeJS.WriteStream): number =>
  stream.isTTY ? Math.min(stream.columns || WITHOUT_TERMINAL, LONGEST) : WITHOUT_TERMINAL;
