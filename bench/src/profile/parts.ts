/* Where a sample of a CPU profile belongs: by the function it was in, or the file that function is from. */

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

interface Rule {
  readonly part: string;
  readonly names?: RegExp;
  readonly urls?: RegExp;
}

/** No part of any work. */
export const IDLE = new Set(['(idle)', '(root)']);

/** What belongs to nothing that is named here. */
export const OTHER = 'other libraries';

/** Functions of V8 and Node that are not JavaScript have no file: they are known by their names alone. */
const NATIVE: readonly Rule[] = [
  { part: 'garbage collection', names: /^\(garbage collector\)$/ },
  { part: 'V8, libuv and the kernel, no function named', names: /^\((program|bailout|unresolved function)\)$/ },
  { part: 'writing to sockets', names: /^(writev|write(Utf8|Latin1|Ascii|Ucs2)String|writeBuffer|shutdown)$/ },
  { part: 'JSON and frames', names: /^(stringify|parse|utf8Write|utf8Slice|latin1Slice|byteLengthUtf8)$/ },
  { part: 'handing over to SQLite’s thread', names: /^(postMessage|receiveMessageOnPort|drain)$/ },
];

/** The first that fits counts. */
const FILES: readonly Rule[] = [
  { part: 'JSON and frames', urls: /\/node_modules\/(socket\.io-parser|engine\.io-parser)\// },
  { part: 'validation (zod)', urls: /\/node_modules\/zod\/|\/packages\/protocol\// },
  {
    part: 'tokens and random ids (jose, crypto)',
    urls: /\/node_modules\/jose\/|^node:(internal\/)?crypto|\/server\/dist\/auth\//,
  },
  {
    part: 'Socket.IO, Engine.IO and ws',
    urls: /\/node_modules\/(socket\.io|socket\.io-adapter|engine\.io|ws|cors|@socket\.io\/[^/]+)\//,
  },
  { part: 'register: decide, fold, queue', urls: /\/server\/dist\/register\// },
  {
    part: 'handing over to SQLite’s thread',
    urls: /\/server\/dist\/storage\/|^node:(internal\/)?worker|\/node_modules\/libsql\//,
  },
  { part: 'transport of Rollcall', urls: /\/server\/dist\/transport\// },
  { part: 'commands and features of Rollcall', urls: /\/server\/dist\// },
  {
    part: 'sockets, streams and HTTP of Node',
    urls: /^node:(net|_http|http|internal\/(stream|streams|http|url|dgram|tls)|_)/,
  },
  { part: 'promises, events and timers of Node', urls: /^node:/ },
];

/** Undefined of a native function that is part of whatever called it. */
export function partOf({ functionName, url }: CallFrame): string | undefined {
  if (url === '') return NATIVE.find(({ names }) => names?.test(functionName))?.part;
  return FILES.find(({ urls }) => urls?.test(url))?.part ?? OTHER;
}
