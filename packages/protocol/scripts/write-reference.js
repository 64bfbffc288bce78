// Writes docs/reference from the built protocol package.
import { mkdir, writeFile } from 'node:fs/promises';
import { referencePages } from '../dist/reference.js';

const folder = new URL('../../../docs/reference/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(referencePages())) await writeFile(new URL(name, folder), text);
