import { createHash } from 'node:crypto';

/** The caller has what it asks for: thrown by a handler that needs no answer any more. */
export class NotModified extends Error {
  override readonly name = 'NotModified';
  readonly etag: string;

  constructor(etag: string) {
    super('not modified');
    this.etag = etag;
  }
}

/** A strong entity tag of text in which any character may stand. */
export const entityTag = (...parts: ReadonlyArray<string | number>): string =>
  `"${parts.map((part) => encodeURIComponent(part)).join('-')}"`;

export const entityTagOfBytes = (bytes: string | Uint8Array): string =>
  `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;

/**
 * True where If-None-Match names the tag. It is compared here, since Node's own fetch adds `Cache-Control: no-cache` to a
 * conditional request, and Express then never answers 304. Weakly, as RFC 9110 has it.
 */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag));
}
