// Loaded into a server's process before the server: at SIGUSR2 the wall clock jumps to what it really is plus the
// milliseconds in the file named by ROLLCALL_FAULTS_CLOCK. The clock that never jumps goes on as it is.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let shift = 0;

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
process.on('SIGUSR2', () => {
  shift = Number(readFileSync(process.env['ROLLCALL_FAULTS_CLOCK'] ?? '', 'utf8'));
});
