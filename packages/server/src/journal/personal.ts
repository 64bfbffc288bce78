import { hash, randomBytes } from 'node:crypto';

/** Bytes of a salt: nobody finds a name by hashing all names that there are. */
const SALT_BYTES = 16;
/** Salts whose randomness is fetched at once: each fetch costs as much as 20 of them, and a start needs thousands. */
const AT_ONCE = 256;

let random = '';
let used = 0;

/** 32 hex digits. */
function newSalt(): string {
  if (used === random.length) {
    random = randomBytes(SALT_BYTES * AT_ONCE).toString('hex');
    used = 0;
  }
  const from = used;
  used += 2 * SALT_BYTES;
  return random.slice(from, used);
}

type Text = string | null;

/** One removable value: its canonical JSON, which begins with the salt, and the hash that the facts keep of it. */
export interface PersonalValue {
  readonly json: string;
  /** SHA-256 of `json`, base64url, 43 characters. */
  readonly hash: string;
}

export const hashOf = (json: string): string => hash('sha256', json, 'base64url');

function salted(texts: readonly Text[]): PersonalValue {
  const json = JSON.stringify([newSalt(), ...texts]);
  return { json, hash: hashOf(json) };
}

/** Names of actors of one session: each is salted and hashed once, however many commits it is part of. */
export type ActorNames = Map<string, PersonalValue>;

/** The most names kept for one session; any user can make more of them by changing their name. */
const NAMES_MAX = 1_000;

/** Gathers the removable values of one commit. The facts name a value by its place in the list. */
export class PersonalValues {
  readonly hashes: string[] = [];
  readonly #json: string[] = [];
  readonly #names: ActorNames;
  readonly #placeOf = new Map<string, number>();

  constructor(names: ActorNames) {
    this.#names = names;
  }

  add(...texts: readonly Text[]): number {
    return this.#put(salted(texts));
  }

  /** Undefined for nothing, so that the facts have no such field. */
  addOptional(text: Text): number | undefined {
    return text === null ? undefined : this.add(text);
  }

  /** The name of who did it: one place in a commit, however many entries name them. */
  actor(userId: string | null, name: string): number {
    const key = userId === null ? name : `${userId}\n${name}`;
    const place = this.#placeOf.get(key);
    if (place !== undefined) return place;
    let value = this.#names.get(key);
    if (!value) {
      value = salted([name]);
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(key, value);
    }
    const made = this.#put(value);
    this.#placeOf.set(key, made);
    return made;
  }

  get json(): string {
    return `[${this.#json.join(',')}]`;
  }

  #put(value: PersonalValue): number {
    this.#json.push(value.json);
    return this.hashes.push(value.hash) - 1;
  }
}
