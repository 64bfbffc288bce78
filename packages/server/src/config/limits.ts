import { apart, domain, set } from './domain.js';
import { perSecond, wholeNumber } from './readers.js';

export const limits = domain({
  section: 'Limits',
  rows: {
    RATE_LIMIT_TEACHER_PER_SECOND: set(perSecond, '500', {
      field: 'rateLimits.teacherPerSecond',
      option: 'rateLimits.teacherPerSecond',
      meaning: 'Events a second of one teacher, burst four times that; 0: no limit',
    }),
    RATE_LIMIT_STUDENT_PER_SECOND: set(perSecond, '20', {
      field: 'rateLimits.studentPerSecond',
      option: 'rateLimits.studentPerSecond',
      meaning: 'Events a second of one student, burst four times that; 0: no limit',
    }),
    FINAL_DATA_RECORDS: set(wholeNumber(1_000_000, 'must be a whole number from 0 to 1000000'), '1000', {
      field: 'finalDataRecords',
      option: 'finalDataRecords',
      meaning: 'If a session has more records than this, a student’s finalData holds only their own record',
    }),
  },
  together: apart,
});
