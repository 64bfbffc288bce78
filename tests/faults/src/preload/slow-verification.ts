// Loaded into a server's process before the server: whoever checks a signature waits for 300 ms, as behind a slow
// identity provider.
import { setTimeout as pause } from 'node:timers/promises';

const subtle = globalThis.crypto.subtle;
const verify = subtle.verify.bind(subtle);

Object.defineProperty(subtle, 'verify', {
  value: async (...args: Parameters<typeof verify>) => {
    await pause(300);
    return verify(...args);
  },
});
