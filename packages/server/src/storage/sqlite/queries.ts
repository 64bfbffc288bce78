import { encodeText, parseRows } from './text.js';
import type { WorkerLink } from './worker-link.js';

type Parameter = string | number | null;

/** What the facets of the storage ask of the worker thread. */
export class Queries {
  readonly call: WorkerLink['call'];

  constructor(link: WorkerLink) {
    this.call = link.call.bind(link);
  }

  /** Rows of a query that answers them as one JSON text. */
  async rows(sql: string, params: readonly Parameter[]): Promise<unknown[][]> {
    return parseRows(await this.call('read', sql, params));
  }

  /** The first row, presented; null where there is none. */
  async first<Found>(
    sql: string,
    params: readonly Parameter[],
    present: (row: readonly unknown[]) => Found,
  ): Promise<Found | null> {
    const [row] = await this.rows(sql, params);
    return row === undefined ? null : present(row);
  }
}

/** Ids as one parameter, each once. */
export const jsonOf = (ids: readonly string[]): string => JSON.stringify([...new Set(ids)].map(encodeText));
