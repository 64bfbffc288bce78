import { apart, depending, domain } from './domain.js';
import { timeZone } from './readers.js';

export const school = domain({
  section: 'School',
  rows: {
    SCHOOL_TIME_ZONE: depending(
      timeZone,
      'the time zone of the machine',
      () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC',
      {
        field: 'timeZone',
        option: 'timeZone',
        meaning:
          'Time zone of the school by its IANA name, such as Europe/Berlin: dates and times of sessions are in it',
      },
    ),
  },
  together: apart,
});
