import { apart, depending, domain, optional } from './domain.js';
import { reportCodes, timeZone } from './readers.js';

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
    REPORT_CODES: optional(reportCodes, {
      field: 'reportCodes',
      meaning:
        'What stands for statuses in reports, beside the sets edfi and england: JSON such as {"name": "ours", "present": "P", "absent": "A"}',
    }),
  },
  together: apart,
});
