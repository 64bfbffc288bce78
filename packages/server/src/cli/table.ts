import stringWidth from 'string-width';
import { visible } from '../visible-text.js';

const GAP = '  ';

/**
 * Rows under their headings, in columns that are as wide as their widest cell is on a terminal, where a Chinese
 * character takes two places and an accent none. Control characters in a cell are spelt out.
 */
export function table(headings: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const lines = [headings, ...rows].map((cells) => cells.map(visible));
  const widths = headings.map((_, column) => Math.max(...lines.map((cells) => stringWidth(cells[column] ?? ''))));
  const padded = (cell: string, column: number) =>
    cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)));
  return lines.map((cells) => `${cells.map(padded).join(GAP).trimEnd()}\n`).join('');
}
