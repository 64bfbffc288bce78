// Writes docs/reference/capacity.md from the costs in measured.json.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Costs } from './costs.js';
import { pageOf } from './page.js';

const costs = JSON.parse(readFileSync(new URL('../measured.json', import.meta.url), 'utf8')) as Costs;
writeFileSync(new URL('../../../docs/reference/capacity.md', import.meta.url), pageOf(costs));
