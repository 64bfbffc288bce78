/**
 * Characters on which a terminal acts, or which nobody can see: control characters, line separators, bidirectional
 * marks, invisible ones and halves of surrogate pairs. The joiners U+200C and U+200D belong to names and emoji.
 */
const HIDDEN =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text of a person, or of a file, as it may be shown on a terminal or in a log: on one line, and with each control
 * character and each invisible character spelt out (`\n`, `\u001b`). All else stays as it is.
 */
export const visible = (text: string): string => text.replace(HIDDEN, (char) => SHORT[char] ?? escaped(char));

/** The same for a text that has lines of its own, as an error's stack has: its line ends stay. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');

/**
 * The same for JSON on one line: its value stays exactly as it is. JSON itself escapes what is below U+0020, but not
 * U+009B, which starts an escape sequence on some terminals, and not the characters that turn a line around.
 */
export const visibleJson = (json: string): string => json.replace(HIDDEN, escaped);

const escaped = (char: string): string =>
  Array.from({ length: char.length }, (_, index) => {
    const unit = char.charCodeAt(index);
    return `\\u${unit.toString(16).padStart(4, '0')}`;
  }).join('');
