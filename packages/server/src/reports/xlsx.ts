import { strToU8, type Zippable, zipSync } from 'fflate';
import type { Cell, Sheet } from './sheets-of.js';

/*
 * A workbook by ECMA-376, as little of it as spreadsheets ask for. Each text is a shared string, so that a program
 * takes it for text whatever it begins with. The same sheets always give the same bytes.
 */

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** What a sheet holds at most. */
export const XLSX_MAX_COLUMNS = 16_384;
export const XLSX_MAX_ROWS = 1_048_576;
/** What a cell holds at most, in UTF-16 units: a longer text is cut. */
const TEXT_MAX = 32_767;

/** Widths in characters. */
const [NARROW, WIDE] = [6, 40];
/** Rows that are looked at for a column's width. */
const ROWS_MEASURED = 200;

/** The time in a ZIP file has no zone: a fixed one, so that equal workbooks are equal bytes. */
const MTIME = new Date(1980, 0, 1);

export function xlsxOf(sheets: readonly Sheet[]): Uint8Array<ArrayBuffer> {
  const texts = new SharedTexts();
  const parts: Record<string, string> = {};
  for (const [index, sheet] of sheets.entries()) {
    parts[`xl/worksheets/sheet${index + 1}.xml`] = worksheet(sheet, texts, index === 0);
  }
  const files: Zippable = {};
  const entries = Object.entries({ ...packageParts(sheets), ...parts, 'xl/sharedStrings.xml': texts.xml });
  for (const [path, xml] of entries) files[path] = [strToU8(HEAD + xml), { mtime: MTIME }];
  return zipSync(files);
}

/** Every text once, in the order of its first cell. */
class SharedTexts {
  readonly #places = new Map<string, number>();
  #cells = 0;

  placeOf(text: string): number {
    this.#cells += 1;
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#places.size;
    this.#places.set(text, place);
    return place;
  }

  get xml(): string {
    const items = [...this.#places.keys()].map((text) => `<si><t xml:space="preserve">${textContent(text)}</t></si>`);
    return `<sst xmlns="${MAIN}" count="${this.#cells}" uniqueCount="${items.length}">${items.join('')}</sst>`;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no way to write them
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
/** What a spreadsheet reads as a character by its number: the underscore must be written so itself. */
const ESCAPE_LIKE = /_(?=x[0-9a-fA-F]{4}_)/g;
const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (found) => MARKUP[found] ?? found);

/** A carriage return as it is would reach the reader as a line feed. */
const textContent = (text: string): string =>
  escaped(text.slice(0, TEXT_MAX).replace(NOT_XML, '').replace(ESCAPE_LIKE, '_x005F_')).replace(/\r/g, '_x000D_');

/** `A`, `B`, … `Z`, `AA`, … */
function columnName(index: number): string {
  let name = '';
  for (let left = index + 1; left > 0; left = Math.floor((left - 1) / 26)) {
    name = String.fromCharCode(65 + ((left - 1) % 26)) + name;
  }
  return name;
}

/** Of two lines, in points. */
const HEADER_HEIGHT = 32;
/** Styles of cells, by their place in `STYLES`. */
const [PLAIN, HEADER] = [0, 1];

function worksheet({ header, rows, frozen }: Sheet, texts: SharedTexts, isFirst: boolean): string {
  const names = header.map((_, index) => columnName(index));
  const row = (cells: readonly Cell[], number: number, style: number): string => {
    let xml = style === HEADER ? `<row r="${number}" ht="${HEADER_HEIGHT}" customHeight="1">` : `<row r="${number}">`;
    for (const [index, cell] of cells.entries()) {
      if (cell === null) continue;
      const place = `r="${names[index]}${number}"${style === PLAIN ? '' : ` s="${style}"`}`;
      xml +=
        typeof cell === 'number'
          ? `<c ${place}><v>${cell}</v></c>`
          : `<c ${place} t="s"><v>${texts.placeOf(cell)}</v></c>`;
    }
    return `${xml}</row>`;
  };
  const lastCell = `${names.at(-1) ?? 'A'}${rows.length + 1}`;
  const topLeft = `${columnName(frozen)}2`;
  const panes = frozen === 0 ? 'bottomLeft' : 'bottomRight';
  const split = `${frozen === 0 ? '' : `xSplit="${frozen}" `}ySplit="1"`;
  return [
    `<worksheet xmlns="${MAIN}"><dimension ref="A1:${lastCell}"/>`,
    `<sheetViews><sheetView${isFirst ? ' tabSelected="1"' : ''} workbookViewId="0">`,
    `<pane ${split} topLeftCell="${topLeft}" activePane="${panes}" state="frozen"/></sheetView></sheetViews>`,
    '<sheetFormatPr defaultRowHeight="15"/><cols>',
    ...widthsOf(header, rows).map(
      (width, index) => `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`,
    ),
    '</cols><sheetData>',
    row(header, 1, HEADER),
    ...rows.map((cells, index) => row(cells, index + 2, PLAIN)),
    '</sheetData>',
    // Printed: across the page, the header on each.
    '<pageMargins left="0.5" right="0.5" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>',
    '<pageSetup orientation="landscape"/></worksheet>',
  ].join('');
}

function widthsOf(header: readonly string[], rows: Sheet['rows']): number[] {
  return header.map((name, index) => {
    // The header goes on in a second line where it has a space.
    let longest = Math.max(...name.split(' ').map((word) => word.length));
    for (const row of rows.slice(0, ROWS_MEASURED)) longest = Math.max(longest, String(row[index] ?? '').length);
    return Math.min(WIDE, Math.max(NARROW, longest)) + 2;
  });
}

/** Excel asks for these fills and for a style named Normal. */
const STYLES = [
  `<styleSheet xmlns="${MAIN}">`,
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>',
  '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>',
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>',
  '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>',
  '<border><left/><right/><top/><bottom style="thin"><color auto="1"/></bottom><diagonal/></border></borders>',
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>',
  '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
  '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyFont="1" applyBorder="1" applyAlignment="1">',
  '<alignment vertical="bottom" wrapText="1"/></xf></cellXfs>',
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>',
  '</styleSheet>',
].join('');

function packageParts(sheets: readonly Sheet[]): Record<string, string> {
  const numbered = sheets.map((sheet, index) => ({ sheet, n: index + 1 }));
  const [stylesId, textsId] = [`rId${sheets.length + 1}`, `rId${sheets.length + 2}`];
  const override = (part: string, type: string) =>
    `<Override PartName="/${part}" ContentType="${CONTENT}.${type}+xml"/>`;
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${DOCUMENT}/${type}" Target="${target}"/>`;
  // The header, and the columns that stay in view, are repeated on every printed page.
  const titles = numbered.map(({ sheet, n }) => {
    const columns = sheet.frozen === 0 ? '' : `'${sheet.name}'!$A:$${columnName(sheet.frozen - 1)},`;
    const area = escaped(`${columns}'${sheet.name}'!$1:$1`);
    return `<definedName name="_xlnm.Print_Titles" localSheetId="${n - 1}">${area}</definedName>`;
  });
  return {
    '[Content_Types].xml': [
      `<Types xmlns="${PACKAGE}/content-types">`,
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>',
      '<Default Extension="xml" ContentType="application/xml"/>',
      override('xl/workbook.xml', 'sheet.main'),
      ...numbered.map(({ n }) => override(`xl/worksheets/sheet${n}.xml`, 'worksheet')),
      override('xl/styles.xml', 'styles'),
      override('xl/sharedStrings.xml', 'sharedStrings'),
      '</Types>',
    ].join(''),
    '_rels/.rels': `<Relationships xmlns="${PACKAGE}/relationships">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
    'xl/workbook.xml': [
      `<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><bookViews><workbookView/></bookViews><sheets>`,
      ...numbered.map(({ sheet, n }) => `<sheet name="${escaped(sheet.name)}" sheetId="${n}" r:id="rId${n}"/>`),
      `</sheets><definedNames>${titles.join('')}</definedNames></workbook>`,
    ].join(''),
    'xl/_rels/workbook.xml.rels': [
      `<Relationships xmlns="${PACKAGE}/relationships">`,
      ...numbered.map(({ n }) => relation(`rId${n}`, 'worksheet', `worksheets/sheet${n}.xml`)),
      relation(stylesId, 'styles', 'styles.xml'),
      relation(textsId, 'sharedStrings', 'sharedStrings.xml'),
      '</Relationships>',
    ].join(''),
    'xl/styles.xml': STYLES,
  };
}
