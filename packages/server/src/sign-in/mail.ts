import { createTransport } from 'nodemailer';
import { visible } from '../visible-text.js';

/** How mail is sent: the address of an SMTP server, and the sender as `office@school.example` or `School <office@…>`. */
export interface MailOptions {
  readonly url: string;
  readonly from: string;
}

export interface Letter {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Hands a letter to the SMTP server. Rejects where that doesn't take it. */
export type SendMail = (letter: Letter) => Promise<void>;

/** How long each step may take, in ms. */
const PATIENCE_MS = 10_000;

const SENDER = /^(.*?)\s*<([^<>]+)>$/;

/**
 * Sender and receiver are given as a name and an address and the envelope by itself, so that nothing in a name can name
 * another receiver.
 */
export function mailer({ url, from }: MailOptions): SendMail {
  const [, name = '', address = from] = SENDER.exec(from.trim()) ?? [];
  const transport = createTransport({
    url,
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ to, subject, text, html }) => {
    await transport.sendMail({
      from: { name: name.replace(/^"(.*)"$/, '$1'), address },
      to: { name: visible(to.name), address: to.address },
      envelope: { from: address, to: to.address },
      subject,
      text,
      html,
    });
  };
}

const MINUTES = 15;

/** The letter with a link that its reader has asked for. */
export function linkLetter(name: string, address: string, url: string): Letter {
  return {
    to: { name, address },
    subject: 'Your sign-in link',
    text: `Hello ${name},

open this link to sign in to Rollcall, and press the button there:

${url}

It counts for ${MINUTES} minutes, and once. If you didn't ask for it, you need not do anything.
`,
    html: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Your sign-in link</title>
<p>Hello ${escapeHtml(name)},</p>
<p>open this link to sign in to Rollcall, and press the button there:</p>
<p><a href="${escapeHtml(url)}">Sign in to Rollcall</a></p>
<p>It counts for ${MINUTES} minutes, and once. If you didn't ask for it, you need not do anything.</p>
</html>
`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
