import type { Command } from 'commander';
import { describeVariables, envExample } from '../config-variables.js';
import { warnOfDatabase, warnOfMode } from '../config-warnings.js';
import { loadConfig } from './environment.js';
import { helpWidth } from './help-width.js';
import { onStandardError } from './standard-error.js';

export function addConfig(program: Command): void {
  program
    .command('config')
    .summary('check the environment, and tell what each variable means')
    .description('Checks the environment variables and tells what each means. Values are not shown: some are secret.')
    .option('--example', 'print a .env file with every variable instead')
    .addHelpText('after', '\nExamples:\n  rollcall config\n  rollcall config --example > .env.example\n')
    .action(({ example }: { example?: boolean }) => {
      if (example) process.stdout.write(envExample());
      else {
        process.stdout.write(describeVariables(helpWidth(process.stdout)));
        const config = loadConfig();
        warnOfMode(config, onStandardError);
        warnOfDatabase(config.database, onStandardError);
        process.stdout.write('\nThe configuration is valid.\n');
      }
    });
}
