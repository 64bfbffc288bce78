/**
 * Controls (C0, DEL and C1 are \p{Cc}), what turns the direction of text, and the line ends of Unicode. A terminal obeys the first
 * two kinds; the others show text as what it isn't.
 */
const UNSEEN = /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text from a file, a database or a client as one line that a terminal only shows: `\u001b` instead of an escape. */
export const visible = (text: string): string => text.replace(UNSEEN, escaped);

/** The same for text of several lines that is ours but for what stands in it. */
export const visibleLines = (text: string): string =>
  text.replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)));

/** JSON that a terminal only shows, and that means what it did: JSON itself escapes the controls up to 0x1f alone. */
export const visibleJson = (value: unknown): string => visible(JSON.stringify(value));
