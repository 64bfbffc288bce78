import { RollcallError } from '@rollcall/protocol';

/** An address under PUBLIC_URL, which may have a path of its own. */
export const under = (publicUrl: string, path: string): string => `${publicUrl.replace(/\/+$/, '')}/${path}`;

/** The address of a sign-in link. The secret is in the fragment, which no browser sends to any server. */
export const linkAddress = (publicUrl: string, secret: string): string => `${under(publicUrl, 'sign-in')}#${secret}`;

/** Where to go after a sign-in: an address of the same origin. @throws {RollcallError} BAD_REQUEST for any other */
export function returnAddress(publicUrl: string, returnTo: string | undefined): string {
  if (returnTo === undefined || returnTo === '') return under(publicUrl, 'sign-in');
  const refusal = () =>
    new RollcallError('BAD_REQUEST', {
      message: 'return_to must be an address of this site',
      details: { field: 'return_to' },
    });
  // Browsers read a backslash as a slash, and drop control characters.
  if (returnTo.length > 2_000 || /[\\\s\p{Cc}]/u.test(returnTo)) throw refusal();
  const base = new URL(`${publicUrl.replace(/\/+$/, '')}/`);
  if (!URL.canParse(returnTo, base.href)) throw refusal();
  const address = new URL(returnTo, base);
  // The origin of a blob: address is that of the page that made it.
  const isOurs = address.origin === base.origin && address.protocol === base.protocol;
  if (!isOurs || address.username !== '' || address.password !== '') throw refusal();
  return address.href;
}
