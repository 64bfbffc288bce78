import { studentOf } from '../../../../commands/present.js';
import type { HandlersOf } from '../api-context.js';

export const meHandlers = {
  getMe: ({ caller: { person } }, { timeZone, features }) => {
    const { user_id, uid, name, email, profile_picture, teacher, student, is_admin } = person;
    return {
      body: {
        user: { user_id, uid, name, email, profile_picture },
        teacher,
        student: student && studentOf(student, 'teacher'),
        is_admin,
        time_zone: timeZone,
        features,
      },
    };
  },
} satisfies Partial<HandlersOf>;
