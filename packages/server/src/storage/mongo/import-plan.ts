import { mongo } from 'mongoose';
import type { ImportReport, SchoolList } from '../port.js';
import { onlyDuplicateKeys } from './connection.js';
import { derivedId, type Purpose } from './people.js';
import { changedFields, type Row, type StoredId, withoutNulls } from './stored-values.js';

const CHUNK = 1_000;
const DERIVED_ROUNDS = 2;

/** What an import will do to the collections, gathered before anything is written: a dry run stops here. */
export class ImportPlan {
  readonly now = new Date();
  readonly #round: number;
  readonly #operations = new Map<mongo.Collection<Row>, mongo.AnyBulkWriteOperation<Row>[]>();
  readonly #counts = { added: noCounts(), changed: noCounts(), left: noCounts() };

  /** @param round from 1: how often this import has been planned because others were writing the same */
  constructor(round = 1) {
    this.#round = round;
  }

  /**
   * An id for a row that is to be made: the same for whoever makes it, so that of two imports one adds it. Where that
   * keeps colliding, somebody has it who was meant by `name` once.
   */
  newId(purpose: Purpose, name: string): mongo.ObjectId {
    return this.#round > DERIVED_ROUNDS ? new mongo.ObjectId() : derivedId(purpose, name);
  }

  count(list: SchoolList, outcome: 'added' | 'changed' | 'left'): void {
    this.#counts[outcome][list]++;
  }

  insert(collection: mongo.Collection<Row>, _id: StoredId, fields: Readonly<Record<string, unknown>>): Row {
    const document = { _id, ...withoutNulls(fields), createdAt: this.now, updatedAt: this.now };
    this.#add(collection, { insertOne: { document } });
    return document;
  }

  /**
   * Sets what differs and is said: null in a school file says nothing, so it erases nothing, except in the fields that
   * are said as a whole. False when all is so already.
   */
  update(
    collection: mongo.Collection<Row>,
    row: Row,
    fields: Readonly<Record<string, unknown>>,
    whole: Readonly<Record<string, unknown>> = {},
  ): boolean {
    const changes = changedFields(row, { ...withoutNulls(fields), ...whole });
    if (Object.keys(changes).length === 0) return false;
    const update = { $set: { ...changes, updatedAt: this.now } };
    this.#add(collection, { updateOne: { filter: { _id: row._id }, update } });
    return true;
  }

  /** Takes a field away that the school has given to another row. */
  clear(collection: mongo.Collection<Row>, row: Row, field: string): void {
    const update = { $unset: { [field]: '' as const }, $set: { updatedAt: this.now } };
    this.#add(collection, { updateOne: { filter: { _id: row._id }, update } });
  }

  #add(collection: mongo.Collection<Row>, operation: mongo.AnyBulkWriteOperation<Row>): void {
    const operations = this.#operations.get(collection);
    if (operations) operations.push(operation);
    else this.#operations.set(collection, [operation]);
  }

  /** True where there is nothing to write. */
  get isEmpty(): boolean {
    return this.#operations.size === 0;
  }

  report(unresolved: ImportReport['unresolved']): ImportReport {
    return { ...this.#counts, unresolved };
  }

  /**
   * In the order given: a row is written after those it refers to, so that a repeat completes what was cut off.
   * Answers false where somebody else has made some of the rows meanwhile: the rest is written, and a new plan finds
   * what is still to be done.
   */
  async write(order: readonly mongo.Collection<Row>[]): Promise<boolean> {
    let complete = true;
    for (const collection of order) {
      const operations = this.#operations.get(collection) ?? [];
      // New rows don't depend on each other; a change may make room for another one.
      const ordered = operations.some((operation) => !('insertOne' in operation));
      for (let at = 0; at < operations.length; at += CHUNK) {
        try {
          await collection.bulkWrite(operations.slice(at, at + CHUNK), { ordered });
        } catch (error) {
          if (!onlyDuplicateKeys(error)) throw error;
          complete = false;
          if (ordered) return false;
        }
      }
    }
    return complete;
  }
}

const noCounts = (): Record<SchoolList, number> => ({
  teachers: 0,
  students: 0,
  admins: 0,
  courses: 0,
  enrollments: 0,
  sessions: 0,
});
