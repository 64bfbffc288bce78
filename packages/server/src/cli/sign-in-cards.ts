import encodeQR from 'qr';
import { escapeHtml } from '../sign-in/mail.js';

/** What is on a card. */
export interface SignInCard {
  readonly name: string;
  /** The number by which the school tells equal names apart. */
  readonly roll: string | null;
  readonly url: string;
}

export interface CardSheet {
  readonly course: string;
  /** The last day on which the links count, in words. */
  readonly until: string;
  readonly cards: readonly SignInCard[];
}

/** The quiet zone that is part of the picture, in modules; the card around it is white as well. */
const BORDER = 2;

/**
 * A page to print: ten cards on a sheet of A4, each with a name, a QR code and the link that is in it. It has no script
 * and asks nothing of any other place, so that it can be opened from wherever it lies.
 */
export function cardsPage({ course, until, cards }: CardSheet): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Sign-in cards: ${escapeHtml(course)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
${cards.map((card) => cardOf(card, course, until)).join('\n')}
</main>
</body>
</html>
`;
}

const cardOf = ({ name, roll, url }: SignInCard, course: string, until: string): string => `<article>
<div class="code" role="img" aria-label="QR code of the sign-in link of ${escapeHtml(name)}">${codeOf(url)}</div>
<div class="words">
<h2><bdi>${escapeHtml(name)}</bdi></h2>
<p>${[roll, course].flatMap((each) => (each === null ? [] : `<bdi>${escapeHtml(each)}</bdi>`)).join(' · ')}</p>
<p class="how">Scan to sign in to Rollcall. Works once, until ${escapeHtml(until)}. For you alone.</p>
<p class="link">${escapeHtml(url)}</p>
</div>
</article>`;

/** Black on transparent, one path: a printer draws it as sharp as it can. */
function codeOf(url: string): string {
  const modules = encodeQR(url, 'raw', { ecc: 'medium', border: BORDER });
  const path = modules.flatMap((row, y) =>
    [...runsOf(row)].map(([from, length]) => `M${from} ${y}h${length}v1h-${length}z`),
  );
  const size = modules.length;
  return `<svg viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path d="${path.join('')}"/></svg>`;
}

/** Where dark modules begin in a row, and how many follow each other. */
function* runsOf(row: readonly boolean[]): Iterable<readonly [from: number, length: number]> {
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    const from = x;
    while (row[x]) x += 1;
    yield [from, x - from];
  }
}

const STYLE = `@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #000; font: 9pt/1.3 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { display: grid; grid-template-columns: 95mm 95mm; width: 190mm; margin: 0 auto; }
article { display: flex; gap: 3mm; height: 55mm; padding: 4mm; border: 0.2mm dashed #888; overflow: hidden; break-inside: avoid; }
.code { flex: none; width: 40mm; }
.code svg { display: block; width: 40mm; height: 40mm; }
.words { display: flex; flex-direction: column; min-width: 0; overflow: hidden; }
h2 { margin: 0 0 1mm; font-size: 12pt; line-height: 1.2; overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
p { margin: 0 0 1.5mm; overflow-wrap: anywhere; }
.how { color: #333; font-size: 8pt; }
.link { margin-top: auto; margin-bottom: 0; font: 6pt/1.3 ui-monospace, "DejaVu Sans Mono", monospace; }
@media screen { main { margin: 10mm auto; } }`;
