import type { ConnectionOptions, Transport } from './connection.js';
import { type DelayRange, LONGEST_TIMER_MS } from './delays.js';
import type { TokenSource } from './token.js';

export interface ConnectOptions {
  /**
   * Address of the server: `https://rollcall.example`, with a port where it has one and without a path. `http`, `ws`
   * and `wss` are taken too.
   */
  url: string;
  /** A token, or a function that gives one; it is asked at every connection and when the token is about to expire. */
  token?: TokenSource;
  /**
   * Instead of `token`: the token of a display, which shows the check-in code and the statistics of one session. The
   * client then gets `attendanceCode` and `attendanceStatistics` and nothing else, every command is refused, and it
   * closes with SESSION_ENDED once the session is over.
   */
  display?: string;
  /** Path of Socket.IO on the server, with what a proxy puts before it; `/socket.io`. */
  path?: string;
  /** Where the HTTP API is served, with what a proxy puts before it; `/api/v1`. */
  apiPath?: string;
  /** Ways to connect in order of preference; websocket, then polling. */
  transports?: readonly Transport[];
  /**
   * Milliseconds to wait for an answer before a command is sent again, for a connection attempt and for a token;
   * above 0, 10,000.
   */
  timeout?: number;
  /** Milliseconds after which a command that couldn't be carried out is given up; above 0, 60,000. Infinity never gives up. */
  deadline?: number;
  /** Shortest and longest delay between attempts to connect, in milliseconds above 0; 500 and 5,000. */
  reconnect?: DelayRange;
  /** Your app's name and version, for the server's log. */
  client?: { name: string; version: string };
}

/** Options with nothing left out. */
export interface Settings extends Omit<ConnectionOptions, 'connectTimeout'> {
  readonly timeout: number;
  readonly deadline: number;
  readonly apiPath: string;
}

const TRANSPORTS: readonly unknown[] = ['websocket', 'polling', 'webtransport'] satisfies Transport[];
/** Up to eight times as long is waited where a server doesn't answer, and timers take no more: three days. */
const MOST_TIMEOUT_MS = LONGEST_TIMER_MS / 8;
const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'ws:': 'http:',
  'https:': 'https:',
  'wss:': 'https:',
};
const NAMES: ReadonlySet<string> = new Set<keyof ConnectOptions>([
  'url',
  'token',
  'display',
  'path',
  'apiPath',
  'transports',
  'timeout',
  'deadline',
  'reconnect',
  'client',
]);

/** A value as a person reads it, without what may be secret or endless. */
const shown = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value.slice(0, 100))
    : typeof value === 'number'
      ? String(value)
      : value === null
        ? 'null'
        : Array.isArray(value)
          ? 'a list'
          : typeof value;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checks the options of `connect` and fills in what is left out. What is undefined counts as left out.
 *
 * @throws {TypeError} naming the option that isn't what it has to be, and what that is
 */
export function settingsOf(options: ConnectOptions): Settings {
  const given: Partial<Record<keyof ConnectOptions, unknown>> = isObject(options) ? options : {};
  const url = originOf(given.url);
  const credential = credentialOf(given);
  for (const name of Object.keys(given)) {
    if (!NAMES.has(name)) throw new TypeError(`connect has no option ${shown(name)}`);
  }
  const { path, apiPath, transports, timeout, deadline, reconnect, client } = options;
  return {
    url,
    ...credential,
    path: path === undefined ? '/socket.io' : pathOf('path', path),
    apiPath: apiPath === undefined ? '/api/v1' : pathOf('apiPath', apiPath).replace(/\/+$/, ''),
    transports: transports === undefined ? ['websocket', 'polling'] : transportsOf(transports),
    timeout: timeout === undefined ? 10_000 : Math.min(milliseconds('timeout', timeout), MOST_TIMEOUT_MS),
    deadline: deadline === undefined ? 60_000 : deadlineOf(deadline),
    reconnect: reconnect === undefined ? { min: 500, max: 5_000 } : rangeOf(reconnect),
    client: client === undefined ? { name: '@rollcall/client', version: '0.1.0' } : clientOf(client),
  };
}

/** What says who connects: a token of a user, or of a display. */
function credentialOf({ token, display }: { token?: unknown; display?: unknown }): Pick<Settings, 'token' | 'as'> {
  if (display !== undefined) {
    if (typeof display !== 'string' || display === '') throw new TypeError('display must be the token of a display');
    if (token !== undefined) throw new TypeError('connect takes a token or a display, and not both');
    return { token: display, as: 'display' };
  }
  if ((typeof token === 'string' && token !== '') || typeof token === 'function') {
    return { token: token as TokenSource, as: 'user' };
  }
  throw new TypeError('connect needs a token, a string or a function that gives one');
}

/**
 * Checks what a caller gave to a command. The fields of the payload are the server's to check.
 *
 * @throws {TypeError} naming what isn't what it has to be
 */
export function assertCommand(event: unknown, payload: unknown, options: unknown): void {
  if (typeof event !== 'string' || event === '') throw new TypeError('a command needs the name of an event');
  if (!isObject(payload)) throw new TypeError(`${event} takes an object with its fields, and not ${shown(payload)}`);
  if (!isObject(options)) throw new TypeError(`the options of ${event} must be an object, and not ${shown(options)}`);
  const { deadline, op_id, signal } = options;
  if (deadline !== undefined) deadlineOf(deadline);
  if (op_id !== undefined && (typeof op_id !== 'string' || op_id === '' || op_id.length > 64)) {
    throw new TypeError(`op_id must be a string of 1 to 64 characters, and not ${shown(op_id)}`);
  }
  if (signal !== undefined && !(isObject(signal) && typeof signal['addEventListener'] === 'function')) {
    throw new TypeError(`signal must be an AbortSignal, and not ${shown(signal)}`);
  }
}

const deadlineOf = (deadline: unknown): number =>
  deadline === Number.POSITIVE_INFINITY ? deadline : milliseconds('deadline', deadline);

/** @throws {TypeError} saying why it is no address of a server */
export function originOf(url: unknown): string {
  if (typeof url !== 'string' || url === '') throw new TypeError('connect needs a url, the address of the server');
  const wrong = (why: string) => new TypeError(`url ${shown(url)} ${why}`);
  if (!/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    throw wrong('has no scheme: write https:// before it, or http:// for a server without a certificate');
  }
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw wrong('is no address');
  }
  const scheme = SCHEMES[parsed.protocol];
  if (scheme === undefined) throw wrong('has a scheme that is none of https, http, wss and ws');
  if (parsed.username !== '' || parsed.password !== '') {
    // The whole isn't shown: it holds a password.
    throw new TypeError('url has a user name or a password in it: people sign in with the token');
  }
  if (parsed.pathname !== '/') {
    throw wrong(`has a path: give the address alone, and \`path\` where Socket.IO isn't at /socket.io on the server`);
  }
  if (parsed.search !== '' || parsed.hash !== '') throw wrong('has something after the address: leave out ? and #');
  return `${scheme}//${parsed.host}`;
}

function pathOf(name: 'path' | 'apiPath', path: unknown): string {
  if (typeof path === 'string' && /^\/[^?#\s]*$/.test(path)) return path;
  const usual = name === 'path' ? '/socket.io' : '/api/v1';
  throw new TypeError(`${name} must be a string that begins with /, such as ${usual}, and not ${shown(path)}`);
}

function transportsOf(transports: unknown): Transport[] {
  const known = (way: unknown): way is Transport => TRANSPORTS.includes(way);
  if (Array.isArray(transports) && transports.length > 0 && transports.every(known)) return [...transports];
  throw new TypeError(`transports must be a list of ${TRANSPORTS.join(', ')}: one of them at least`);
}

function milliseconds(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw new TypeError(`${name} must be a number of milliseconds above 0, and not ${shown(value)}`);
}

function rangeOf(range: unknown): DelayRange {
  if (!isObject(range)) throw new TypeError(`reconnect must be {min, max} in milliseconds, and not ${shown(range)}`);
  const min = milliseconds('reconnect.min', range['min']);
  const max = milliseconds('reconnect.max', range['max']);
  if (min > max) throw new TypeError(`reconnect.min must not be above reconnect.max: ${min} is above ${max}`);
  return { min, max };
}

function clientOf(client: unknown): { name: string; version: string } {
  if (!isObject(client)) throw new TypeError(`client must be {name, version}, and not ${shown(client)}`);
  const text = (field: 'name' | 'version'): string => {
    const value = client[field];
    if (typeof value === 'string' && value !== '') return value;
    throw new TypeError(`client.${field} must be a string that isn't empty, and not ${shown(value)}`);
  };
  return { name: text('name'), version: text('version') };
}
