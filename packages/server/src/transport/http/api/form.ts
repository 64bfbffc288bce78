import { RollcallError } from '@rollcall/protocol';
import type { Request } from 'express';

const FORM_MAX_BYTES = 64 * 1024;

/** The fields of a form. @throws {RollcallError} UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE */
export async function formOf(request: Request): Promise<URLSearchParams> {
  if (!request.is('application/x-www-form-urlencoded')) throw new RollcallError('UNSUPPORTED_MEDIA_TYPE');
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > FORM_MAX_BYTES) throw new RollcallError('PAYLOAD_TOO_LARGE');
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}
