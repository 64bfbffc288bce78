/** Schemes whose pages don't exist, or send no Origin of their own. */
const NEVER_AN_ORIGIN = new Set(['ws:', 'wss:', 'ftp:', 'data:', 'blob:', 'about:', 'javascript:', 'mailto:']);

/** An origin as browsers write it: lower case, punycode, without the scheme's own port; null where it is none. */
export function normalOrigin(text: string): string | null {
  // A URL would drop or repair what is wrong here.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]*$/i.test(text) || !URL.canParse(text)) return null;
  const { protocol, host } = new URL(text);
  if (host === '' && protocol !== 'file:') return null;
  // Hosts of schemes that browsers don't know are taken as they stand: capacitor://LOCALHOST.
  return `${protocol}//${host.toLowerCase()}`;
}

/**
 * One entry of CORS_ORIGIN, normalised: `*`, an origin, or an origin whose first label has one `*`.
 * @throws {Error} saying why no page could ever have this origin
 */
export function originPattern(entry: string): string {
  if (entry === '*') return entry;
  const refuse = (why: string): never => {
    throw new Error(entry.includes('@') ? why : `${why} (${entry})`);
  };
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(entry)?.[1]?.toLowerCase();
  if (scheme === undefined) return refuse('an origin begins with its scheme, such as https://');
  if (NEVER_AN_ORIGIN.has(scheme)) return refuse(`no page has an origin of ${scheme}//`);
  const rest = entry.slice(scheme.length + 2).replace(/\/$/, '');
  if (/[/?#\\]/.test(rest)) return refuse('an origin has no path, ? or #');
  if (rest.includes('@')) return refuse('an origin has no user and password');
  const origin = normalOrigin(`${scheme}//${rest}`);
  if (origin === null) return refuse('this is no origin');
  if (scheme === 'file:' && origin !== 'file://') return refuse('pages of files have the origin file://');
  const [first = '', ...labels] = origin.slice(scheme.length + 2).split('.');
  if (labels.some((label) => label.includes('*')) || first.split('*').length > 2) {
    return refuse('there may be one *, in the first label of the host');
  }
  if (first.includes('*') && labels.length === 0) {
    return refuse('a * stands for one label before a domain; * alone allows every origin');
  }
  return origin;
}

/** True where a normalised origin is meant by a pattern. A `*` is at least one character, and no dot. */
export function matchesPattern(pattern: string, origin: string): boolean {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return pattern === origin;
  const between = origin.slice(before.length, origin.length - after.length);
  return (
    origin.length > before.length + after.length &&
    origin.startsWith(before) &&
    origin.endsWith(after) &&
    !/[.:/]/.test(between)
  );
}
