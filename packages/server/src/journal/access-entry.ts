import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import { nextChain } from './commit.js';
import { PersonalValues } from './personal.js';

/** Version of the form in which the access log is written. */
export const ACCESS_FORMAT = 1;

/** Somebody saw or changed what is another person's, or changed a right. */
export interface AccessEntry {
  /** Server time, milliseconds since the epoch. */
  readonly at: number;
  readonly actor: { readonly user_id: string; readonly name: string };
  /** What was done, such as `export` or `change_rights`. */
  readonly action: string;
  /** Whom it is about: the id of a user or of a student's profile; null where it is about more than one person. */
  readonly subject: string | null;
  /** Ids and bounds that say of what: course, session, days, format. Never a name. */
  readonly scope: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
  /** Why, in the actor's words. */
  readonly purpose: string | null;
  /** The request's own id, as the server's log has it. */
  readonly request_id: string | null;
}

/** An entry as a database holds it; nothing of it has been checked. */
export interface StoredAccess {
  readonly number: number;
  /** These three repeat the facts, so that a database can find entries by them. */
  readonly actor: unknown;
  readonly action: unknown;
  readonly subject: unknown;
  readonly format: unknown;
  /** What never changes: canonical JSON. These very bytes are hashed. */
  readonly facts: unknown;
  /** What a person may ask to have removed: canonical JSON, a list of salted values. Their hashes are in the facts. */
  readonly personal: unknown;
  /** SHA-256 of the chain before and the facts: 64 lower-case hex digits. */
  readonly chain: unknown;
}

/** One entry as it is written. */
export interface WrittenAccess extends StoredAccess {
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly format: typeof ACCESS_FORMAT;
  readonly facts: string;
  readonly personal: string;
  readonly chain: string;
}

/** What the chain of the access log begins with. */
export const FIRST_ACCESS_CHAIN = hash('sha256', `rollcall access log ${ACCESS_FORMAT}`, 'hex');

/** The place of the actor's name among the removable values, and that of the purpose, where one is given. */
export const ACTOR_NAME = 0;
export const PURPOSE = 1;

/** @param chainBefore the chain of entry `number - 1`; of the first entry, FIRST_ACCESS_CHAIN */
export function encodeAccess(number: number, chainBefore: string, entry: AccessEntry): WrittenAccess {
  const { at, actor, action, subject, scope, purpose, request_id } = entry;
  const values = new PersonalValues(new Map());
  values.add(actor.name);
  values.addOptional(purpose);
  const { hashes } = values;
  const facts = canonicalJson({ action, actor: actor.user_id, at, hashes, number, request_id, scope, subject });
  return {
    number,
    actor: actor.user_id,
    action,
    subject,
    format: ACCESS_FORMAT,
    facts,
    personal: values.json,
    chain: nextChain(chainBefore, facts),
  };
}

/** An entry as people read it: its number, and what is no longer there as null. */
export interface ReadAccess extends Omit<AccessEntry, 'actor'> {
  readonly number: number;
  readonly actor: { readonly user_id: string; readonly name: string | null };
}

/** Reads what was stored. What was changed since is read as it is now: `rollcall verify` finds that. */
export function decodeAccess({ number, facts, personal }: StoredAccess): ReadAccess {
  const { actor, at, action, subject, scope, request_id } = fieldsIn(facts);
  const values = listIn(personal);
  const text = (place: number): string | null => {
    const value = values[place];
    return Array.isArray(value) && typeof value[1] === 'string' ? value[1] : null;
  };
  return {
    number,
    at: typeof at === 'number' ? at : 0,
    actor: { user_id: textOr(actor, ''), name: text(ACTOR_NAME) },
    action: textOr(action, ''),
    subject: typeof subject === 'string' ? subject : null,
    scope: typeof scope === 'object' && scope !== null ? (scope as AccessEntry['scope']) : {},
    purpose: text(PURPOSE),
    request_id: typeof request_id === 'string' ? request_id : null,
  };
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const parsed = (json: unknown): unknown => {
  try {
    return typeof json === 'string' ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
};

export const fieldsIn = (json: unknown): Readonly<Record<string, unknown>> => {
  const value = parsed(json);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
};

export const listIn = (json: unknown): readonly unknown[] => {
  const value = parsed(json);
  return Array.isArray(value) ? value : [];
};
