import type { HandlersOf } from '../handler-table.js';

export const meHandlers = {
  getMe: ({ caller: { person } }, { timeZone, features }) => {
    const { user_id, uid, name, email, profile_picture, teacher, student, is_admin } = person;
    return {
      body: {
        user: { user_id, uid, name, email, profile_picture },
        teacher,
        student,
        is_admin,
        time_zone: timeZone,
        features,
      },
    };
  },
} satisfies Partial<HandlersOf>;
