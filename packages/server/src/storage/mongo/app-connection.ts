import { mongo } from 'mongoose';
import { StorageError } from '../port.js';

/** What is used of an app's Mongoose connection, whatever version made it. */
export interface AppConnection {
  /** 1: connected, 2: connecting. */
  readonly readyState: number;
  /** The database's name. */
  readonly name: string;
  /** Resolves once it is connected. */
  asPromise(): Promise<unknown>;
  /** The driver's client. */
  getClient(): unknown;
}

/** The classes by which another copy of the driver knows its values. */
export interface DriverClasses {
  readonly ObjectId: new (hex: string) => unknown;
  readonly Decimal128: { fromString(text: string): unknown };
  readonly Long: { fromString(text: string): unknown };
}

/** Waits for a connection that is being made. @throws {StorageError} for one that nobody is making */
export async function connected(connection: AppConnection): Promise<void> {
  const { readyState } = connection;
  if (readyState !== 1 && readyState !== 2) {
    throw new StorageError('mongodb: the connection of the app is not open: await its connect first');
  }
  await connection.asPromise();
}

/**
 * The classes of the app's driver where they aren't ours; undefined where both are one copy.
 * @throws {StorageError} for what is no connection of Mongoose 6 or later
 */
export function classesOf(connection: AppConnection): DriverClasses | undefined {
  const { base } = connection as { readonly base?: { readonly mongo?: Partial<DriverClasses> } };
  const { ObjectId, Decimal128, Long } = base?.mongo ?? {};
  if (!ObjectId || !Decimal128 || !Long) {
    throw new StorageError('mongodb: the connection of the app is not one of Mongoose');
  }
  return ObjectId === (mongo.ObjectId as unknown) ? undefined : { ObjectId, Decimal128, Long };
}

type Convert = (value: unknown) => unknown;

/** Ours as theirs, in whatever is handed to the app's driver: another major version refuses values of ours. */
const toTheirs = ({ ObjectId, Decimal128, Long }: DriverClasses): Convert =>
  throughout((value) => {
    if (value instanceof mongo.ObjectId) return new ObjectId(value.toHexString());
    if (value instanceof mongo.Decimal128) return Decimal128.fromString(value.toString());
    if (value instanceof mongo.Long) return Long.fromString(value.toString());
    return value;
  });

/** And theirs as ours, in whatever the app's driver answers. */
const toOurs: Convert = throughout((value) => {
  const { _bsontype: type } = value as { readonly _bsontype?: unknown };
  switch (type) {
    case 'ObjectId':
    case 'ObjectID':
      return new mongo.ObjectId((value as mongo.ObjectId).toHexString());
    case 'Decimal128':
      return mongo.Decimal128.fromString(String(value));
    case 'Long':
      return mongo.Long.fromString(String(value));
    case 'Binary': {
      const { buffer, sub_type } = value as mongo.Binary;
      return new mongo.Binary(buffer, sub_type);
    }
    default:
      return value;
  }
});

/** Applies `one` to all that is no plain object or list, however deep it is in one. */
function throughout(one: (value: object) => unknown): Convert {
  const convert: Convert = (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(convert);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return one(value);
    return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, convert(inside)]));
  };
  return convert;
}

/** A collection of the app's driver that takes and gives values of ours. */
export function translated<Document extends mongo.Document>(
  collection: mongo.Collection<Document>,
  classes: DriverClasses,
): mongo.Collection<Document> {
  const theirs = toTheirs(classes);
  return new Proxy(collection, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => answered(member.apply(target, args.map(theirs)));
    },
  });
}

function answered(answer: unknown): unknown {
  if (answer instanceof Promise) return answer.then(toOurs);
  return isCursor(answer) ? cursorOf(answer) : answer;
}

interface Cursor extends AsyncIterable<unknown> {
  toArray(): Promise<unknown[]>;
}

const isCursor = (value: unknown): value is Cursor =>
  typeof (value as Partial<Cursor> | null | undefined)?.toArray === 'function';

function cursorOf(cursor: Cursor): Cursor {
  return new Proxy(cursor, {
    get(target, name, self) {
      if (name === Symbol.asyncIterator) return () => each(target);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const answer: unknown = member.apply(target, args);
        return answer === target ? self : answered(answer);
      };
    },
  });
}

async function* each(cursor: Cursor): AsyncGenerator<unknown> {
  for await (const row of cursor) yield toOurs(row);
}
