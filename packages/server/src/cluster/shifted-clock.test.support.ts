// Loaded into a server's process before the server: its wall clock is ahead by ROLLCALL_TEST_CLOCK_MS, or behind where
// that is below zero. The clock that never jumps goes on as it is.
const RealDate = Date;
const shift = Number(process.env['ROLLCALL_TEST_CLOCK_MS']);

class ShiftedDate extends RealDate {
  constructor(...args: [] | [string | number | Date]) {
    if (args.length === 0) super(RealDate.now() + shift);
    else super(...args);
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
