import { domain, optional } from './domain.js';
import { mailbox, smtpUrl } from './readers.js';

export const mail = domain({
  section: 'Mail',
  rows: {
    SMTP_URL: optional(smtpUrl, {
      hidden: true,
      meaning:
        'Mail server through which Rollcall sends mail: smtp://USER:PASSWORD@HOST:PORT or smtps://…; needs MAIL_FROM',
    }),
    MAIL_FROM: optional(mailbox, {
      meaning: 'Sender of that mail: office@school.example, or School <office@school.example>',
    }),
  },
  together({ SMTP_URL: url, MAIL_FROM: from }, { given, refuse }) {
    if (given('SMTP_URL') && !given('MAIL_FROM')) refuse('MAIL_FROM', 'is required with SMTP_URL');
    if (given('MAIL_FROM') && !given('SMTP_URL')) refuse('MAIL_FROM', 'has no effect without SMTP_URL');
    return {
      /** How mail is sent; null: none is. */
      mail: url === null || from === null ? null : { url, from },
    };
  },
});
