import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

/** What is used of smtp-server, which has no types. */
interface SmtpPackage {
  readonly SMTPServer: new (
    options: object,
  ) => { readonly server: Server; listen(port: number, host: string): void; close(done: () => void): void };
}

export interface Received {
  /** By the envelope: who gets it, whatever is written in it. */
  readonly from: string;
  readonly to: readonly string[];
  /** As it came, headers and all. */
  readonly raw: string;
  /** The plain text part, decoded. */
  readonly text: string;
}

export interface MailServer {
  readonly url: string;
  readonly received: Received[];
  /** Refuses every letter while true. */
  refusing: boolean;
}

interface Session {
  readonly envelope: {
    readonly mailFrom: { readonly address: string };
    readonly rcptTo: ReadonlyArray<{ readonly address: string }>;
  };
}

/** A real SMTP server on a loopback port. It ends with the test. */
export async function startMailServer(): Promise<MailServer> {
  const { SMTPServer } = (await import('smtp-server' as string)) as SmtpPackage;
  const state: MailServer = { url: '', received: [], refusing: false };
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream: Readable, { envelope }: Session, done: (error?: Error) => void) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        if (state.refusing) return done(Object.assign(new Error('not now'), { responseCode: 451 }));
        const raw = Buffer.concat(parts).toString('utf8');
        const to = envelope.rcptTo.map(({ address }) => address);
        state.received.push({ from: envelope.mailFrom.address, to, raw, text: plainText(raw) });
        done();
      });
    },
  });
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => smtp.close(() => resolve())));
  const { port } = smtp.server.address() as { port: number };
  return Object.assign(state, { url: `smtp://127.0.0.1:${port}` });
}

/** The first part of a letter that has a text and a page. */
function plainText(raw: string): string {
  const part = /Content-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s.exec(raw);
  const [all = '', content = ''] = part ?? [];
  if (/quoted-printable/i.test(all.slice(0, all.length - content.length))) {
    const bytes = content
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  if (/base64/i.test(all.slice(0, all.length - content.length))) return Buffer.from(content, 'base64').toString('utf8');
  return content;
}
