import type { Command } from 'commander';
import { type Config, ConfigError } from '../config/config.js';
import { type Warnings, warnOfDatabase, warnOfMode } from '../config/warnings.js';
import { visible } from '../visible-text.js';
import { type Check, type Finding, fault, ok, warning } from './doctor/check.js';
import { loadConfig } from './environment.js';
import { CommandFailure, explainError } from './failure.js';
import { Progress } from './progress.js';

interface Reported extends Finding {
  readonly check: string;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('check whether the server can run here, and say what to do')
    .description(
      'Checks the configuration, the database and what is in it, files, clock, disk, Redis and port. A server may ' +
        'run meanwhile. Each line is ok, or says what to do. Changes nothing. The exit status is 1 if there is a fault.',
    )
    .option('--json', 'print {ok, findings: [{check, state, what, cure}]}')
    .addHelpText('after', '\nExamples:\n  rollcall doctor\n  rollcall doctor --json\n')
    .action(doctor);
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const progress = new Progress();
  const findings: Reported[] = [];
  const { config, findings: ofConfiguration } = checkConfiguration();
  findings.push(...ofConfiguration);
  if (config) {
    const { CHECKS } = await import('./doctor/checks.js');
    for (const check of CHECKS) {
      progress.show(`checking: ${check.name}`);
      findings.push(...(await run(check, config)));
    }
  }
  progress.done();
  const faults = findings.filter(({ state }) => state === 'fault').length;
  process.stdout.write(
    options.json ? `${JSON.stringify({ ok: faults === 0, findings })}\n` : findings.map(lineOf).join(''),
  );
  if (faults > 0) throw new CommandFailure(faults === 1 ? 'there is 1 fault' : `there are ${faults} faults`);
}

/** A check that can't be carried out is a fault of its own, and keeps no other from being made. */
async function run({ name, find }: Check, config: Config): Promise<Reported[]> {
  const found = await find(config).catch((error: unknown) => [
    fault(`could not be checked: ${explainError(error)}`, 'Mend what the message names, and run doctor again'),
  ]);
  return found.map((finding) => ({ check: name, ...finding }));
}

function checkConfiguration(): { readonly config: Config | null; readonly findings: readonly Reported[] } {
  const report = (finding: Finding): Reported => ({ check: 'configuration', ...finding });
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const cure = 'Correct the variable (`rollcall config` explains each), and run doctor again for all other checks';
    return {
      config: null,
      findings: error.problems.map(({ variable, message }) => report(fault(`${variable}: ${message}`, cure))),
    };
  }
  const findings: Reported[] = [];
  const warnings: Warnings = {
    warn: (message) => findings.push(report(warning(message, '`rollcall config` explains the variable'))),
  };
  warnOfMode(config, warnings);
  warnOfDatabase(config.database, warnings);
  findings.push(report(ok(`valid, for ${config.mode} mode`)));
  return { config, findings };
}

const lineOf = ({ state, check, what, cure }: Reported): string =>
  `${state.padEnd(8)} ${check.padEnd(14)} ${visible(what)}\n${cure === undefined ? '' : `${' '.repeat(24)}→ ${visible(cure)}\n`}`;
