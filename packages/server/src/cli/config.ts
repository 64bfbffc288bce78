import type { Command } from 'commander';
import { describeVariables, envExample } from '../config/describe.js';
import { databaseByDefault, misspelt, variablesInForce } from '../config/in-force.js';
import { warnOfDatabase, warnOfMode } from '../config/warnings.js';
import { environmentAndFile, loadConfig } from './environment.js';
import { helpWidth } from './help-width.js';
import { onStandardError } from './standard-error.js';

export function addConfig(program: Command): void {
  program
    .command('config')
    .summary('check the environment, and print what each variable means and its value')
    .description(
      'Checks the environment variables and prints what each one means, its value, and where the value comes from. ' +
        'Secrets and passwords are not shown.',
    )
    .option('--example', 'print a .env file with every variable instead')
    .addHelpText('after', '\nExamples:\n  rollcall config\n  rollcall config --example > .env.example\n')
    .action(({ example }: { example?: boolean }) => {
      if (example) process.stdout.write(envExample());
      else config();
    });
}

function config(): void {
  const { environment, file } = environmentAndFile();
  process.stdout.write(describeVariables(helpWidth(process.stdout)));
  for (const { given, meant } of misspelt(new Set([...Object.keys(environment), ...Object.keys(file)]))) {
    onStandardError.warn(`${given} is no variable of Rollcall: is ${meant} meant?`);
  }
  // Before the values, so that a bad one is told and the run has failed.
  const checked = loadConfig();
  const { mode } = checked;
  const terminal = process.stdout.isTTY === true;
  process.stdout.write('\nIn force (and where it comes from)\n');
  for (const { name, shown, source } of variablesInForce(environment, file, { mode, terminal })) {
    const value = shown ?? (name === 'DATABASE_URL' ? databaseByDefault(checked) : null);
    process.stdout.write(`  ${name}${value === null ? ' is not set' : `=${value} (${source})`}\n`);
  }
  warnOfMode(checked, onStandardError);
  warnOfDatabase(checked.database, onStandardError);
  process.stdout.write('\nThe configuration is valid.\n');
}
