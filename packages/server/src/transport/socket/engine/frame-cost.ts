/** Up to this length whatever a frame holds is read in a few milliseconds. */
const SHORT = 64 * 1024;
/** Brackets, commas and colons of a frame: the largest legal bulk has 35,000, and rows may have fields of an app's own. */
const SIGNS_MAX = 200_000;

const [QUOTE, BACKSLASH, COMMA, COLON] = ['"', '\\', ',', ':'].map((sign) => sign.charCodeAt(0));
const OPENING = new Set(['[', '{'].map((sign) => sign.charCodeAt(0)));

/**
 * True for a packet that may not be read: to take 6 MB of brackets apart stops everybody for seconds, where 6 MB of
 * remarks take a few hundredths of one. Costs a hundredth of a second itself for the longest.
 */
export function costsTooMuch(packet: string): boolean {
  return packet.length > SHORT && signsIn(packet, SIGNS_MAX) > SIGNS_MAX;
}

/** Brackets that open, commas and colons outside of JSON's strings; counted until there are more than `max`. */
function signsIn(json: string, max: number): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < json.length && count <= max; at += 1) {
    const sign = json.charCodeAt(at);
    if (inString) {
      if (sign === BACKSLASH) at += 1;
      else if (sign === QUOTE) inString = false;
    } else if (sign === QUOTE) inString = true;
    else if (sign === COMMA || sign === COLON || OPENING.has(sign)) count += 1;
  }
  return count;
}
