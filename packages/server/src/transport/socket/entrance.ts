import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '@rollcall/protocol';
import type { Socket } from 'socket.io';
import { personOf } from '../../auth/sign-in.js';
import { type Identity, isUid } from '../../auth/verify-token.js';
import type { Services } from '../../commands/command.js';
import { courseOf, teachesSession } from '../../commands/rights.js';
import type { Person } from '../../storage/port.js';
import { type DisplayEntrance, displayTokenOf, enterDisplay } from './display.js';
import { refusalOf } from './reply.js';
import type { SocketContext } from './socket-context.js';

/** A socket's user, once it is known who that is. */
export interface Entrance {
  readonly identity: Identity;
  readonly person: Person;
}

/** What came of asking who a socket's user is. */
export type Admission = Entrance | DisplayEntrance | { readonly refusal: RollcallError };

/** For how long a client is kept waiting while it can't be told who it is, in ms: most outages of a moment are shorter. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/** How long an app's own sign-in may take, in ms: commands of the socket wait for it. */
const SIGN_IN_WITHIN_MS = 10_000;

/**
 * Who the socket's user is, asked once. Never rejects; what can't be told right now is a retryable refusal, of which
 * the log tells while the socket is `wanted`.
 */
export async function admit(socket: Socket, context: SocketContext, wanted: () => boolean): Promise<Admission> {
  try {
    return await enter(socket, context);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.retryable && wanted()) context.observe.signInFailed(refusal);
    return { refusal };
  }
}

/** The same, asked again for some seconds while it can't be told, as long as the socket is `wanted`. */
export async function admitWithPatience(
  socket: Socket,
  context: SocketContext,
  wanted: () => boolean,
): Promise<Admission> {
  const until = performance.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const admission = await admit(socket, context, wanted);
    if (!isForNow(admission) || performance.now() + pause > until) return admission;
    await delay(pause, undefined, { ref: false });
    if (!wanted()) return admission;
  }
}

/** And for as long as it takes, while the socket is `wanted`. */
export async function admitSooner(socket: Socket, context: SocketContext, wanted: () => boolean): Promise<Admission> {
  for (let pause = LONGEST_PAUSE_MS; ; pause = Math.min(2 * pause, PATIENCE_MS)) {
    await delay(pause * (0.5 + Math.random() / 2), undefined, { ref: false });
    if (!wanted()) return { refusal: new RollcallError('UNAUTHENTICATED') };
    const admission = await admit(socket, context, wanted);
    if (!isForNow(admission)) return admission;
  }
}

/** Refused, and may be let in a moment later. */
export const isForNow = (admission: Admission): admission is { readonly refusal: RollcallError } =>
  'refusal' in admission && admission.refusal.retryable;

/** @throws {RollcallError} with the message of the connect_error */
async function enter(socket: Socket, context: SocketContext): Promise<Entrance | DisplayEntrance> {
  const display = displayTokenOf(socket);
  if (display !== undefined) return enterDisplay(display, context);
  const identity = (await identityByApp(socket, context)) ?? (await identityByToken(socket, context));
  const { directory, storage } = context.services;
  const { provisionFromToken: provision, byUserId } = context;
  const person = await personOf(identity, { directory, storage, provision, byUserId });
  if (person.teacher && !person.is_admin) await lookUpOwnCourses(person, context.services);
  return { identity, person };
}

async function identityByApp(socket: Socket, { authenticate }: SocketContext): Promise<Identity | undefined> {
  if (!authenticate) return undefined;
  const late = delay(SIGN_IN_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(`authenticate has not answered within ${SIGN_IN_WITHIN_MS} ms`);
  });
  const uid = await Promise.race([authenticate(socket), late]);
  if (uid === undefined || uid === null) return undefined;
  if (!isUid(uid)) throw new TypeError('authenticate must give a uid of 1–128 characters, or null');
  return { uid, expires_at: null, claims: { name: null, email: null, role: null } };
}

function identityByToken(socket: Socket, { verifyToken }: SocketContext): Promise<Identity> {
  const token = tokenOf(socket);
  if (token === undefined) throw new RollcallError('UNAUTHENTICATED');
  return verifyToken(token);
}

/** Being put back can't wait, and after a restart no course is known: whether a co-teacher still is one must be. */
async function lookUpOwnCourses(person: Person, services: Services): Promise<void> {
  const started = [...services.index.startedBy(person.user_id)].filter(
    ({ state }) => !teachesSession(person, state.facts, undefined),
  );
  await Promise.all(started.map(({ state }) => courseOf(state.facts, services)));
}

/** Never the query string: it ends up in the logs of every proxy. */
function tokenOf({ handshake }: Socket): string | undefined {
  const { token } = handshake.auth as { token?: unknown };
  if (typeof token === 'string' && token !== '') return token;
  return /^Bearer +(\S+)$/i.exec(handshake.headers.authorization ?? '')?.[1];
}
