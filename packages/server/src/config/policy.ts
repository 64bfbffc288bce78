import { apart, domain, set } from './domain.js';
import { flag, minutes, oneOf, seconds } from './readers.js';

/** The field of a policy that a variable sets, in Config and in the options of attachRollcall alike. */
const of = <const Field extends string>(field: Field) =>
  ({ field: `policy.${field}`, option: `policy.${field}` }) as const;

export const policy = domain({
  section: 'Policy of sessions that do not set their own (minutes may be fractions)',
  rows: {
    CHECK_IN: set(oneOf(['open', 'code']), 'open', {
      ...of('check_in'),
      meaning: 'open: an enrolled student checks in by joining; code: a check-in needs the code that the teacher shows',
    }),
    CODE_SECONDS: set(seconds, '15', {
      field: 'codeSeconds',
      option: 'codeSeconds',
      meaning: 'Seconds for which a check-in code is shown; it counts for as long again',
    }),
    AUTO_MARK: set(flag, 'false', {
      ...of('auto_mark'),
      meaning: 'true: a check-in marks the student present, or late after LATE_AFTER_MINUTES',
    }),
    LATE_AFTER_MINUTES: set(minutes, '10', {
      ...of('late_after_minutes'),
      meaning: 'Minutes after the start from which a check-in is late, where AUTO_MARK is on; 0: never late',
    }),
    VISIBILITY: set(oneOf(['participants', 'private']), 'participants', {
      ...of('visibility'),
      meaning: 'participants: everybody in the session sees every mark; private: students see only their own',
    }),
    INACTIVITY_MINUTES: set(minutes, '30', {
      ...of('inactivity_minutes'),
      meaning: 'Minutes without activity after which a session ends by itself; 0: never',
    }),
    MAX_MINUTES: set(minutes, '300', {
      ...of('max_minutes'),
      meaning: 'Minutes after which a session ends whatever happens; 0: never',
    }),
  },
  together: apart,
});
