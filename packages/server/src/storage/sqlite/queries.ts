import { encodeText, parseRows } from './text.js';
import type { VerbName, VerbResult, Verbs } from './verbs.js';
import type { WorkerLink } from './worker-link.js';

type Parameter = string | number | null;

/** The threads of a database by what they are for. Of a database in memory, all are the one thread that has it. */
export interface Links {
  readonly writer: WorkerLink;
  readonly reader: WorkerLink;
  /** Long reads, so that those of the reader wait for none. */
  readonly reporter: WorkerLink;
  readonly importer: WorkerLink;
}

/** What the facets of the storage ask of the worker threads. */
export class Queries {
  readonly #links: Links;

  constructor(links: Links) {
    this.#links = links;
  }

  /** Carries out a verb in the thread that it belongs to. */
  call<Name extends VerbName>(verb: Name, ...args: Parameters<Verbs[Name]>): Promise<VerbResult<Name>> {
    return this.#linkOf(verb).call(verb, ...args);
  }

  #linkOf(verb: VerbName): WorkerLink {
    if (verb === 'read' || verb === 'readCommits') return this.#links.reader;
    return verb === 'importSchool' || verb === 'tidyImports' ? this.#links.importer : this.#links.writer;
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
