import { sections, variables } from './variables.js';

const wrap = (text: string, width: number, prefix: string): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + word.length + 1 > width) {
      lines.push(prefix + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(prefix + line);
  return lines;
};

/** The variables as a page of text of so many columns, for `--help`. */
export function describeVariables(width: number): string {
  const parts = sections.map(({ section, names }) => {
    const lines = names.flatMap((name) => {
      const { shown, meaning } = variables[name];
      return [`  ${name}${shown === null ? '' : ` (default: ${shown})`}`, ...wrap(meaning, width, '      ')];
    });
    return `${[section, ...lines].join('\n')}\n`;
  });
  return parts.join('\n');
}

/** The text of .env.example: every variable, each switched off, so that a copy of the file changes nothing. */
export function envExample(): string {
  const lines = [
    '# Every variable that Rollcall reads. Copy this file to .env (read in development only) and uncomment what you need.',
    '# An empty value counts as not set. Written by `rollcall config --example`.',
  ];
  for (const { section, names } of sections) {
    lines.push('', `## ${section}`);
    for (const name of names) {
      const { shown, meaning } = variables[name];
      const isValue = shown !== null && !shown.includes(' ');
      const byDefault = shown === null || isValue ? '' : ` Default: ${shown}.`;
      lines.push(...wrap(`${meaning}.${byDefault}`, 118, '# '));
      lines.push(`#${name}=${isValue ? shown : ''}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
