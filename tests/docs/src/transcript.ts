import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BIN = join(ROOT, 'packages/server/bin/rollcall.js');
/** What the guides call the server's address. */
const ADDRESS = /localhost:4002/g;
const START_LIMIT_MS = 60_000;

export type Step =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'command'; readonly command: string; readonly output: string; readonly line: number };

/**
 * What a guide asks its reader to do, in order. ```` ```json file=school.json ```` makes a file;
 * ```` ```console ```` holds commands after `$ `, going on in the next line after a `\\`, and what they print. `…` stands for anything.
 */
export function stepsOf(markdown: string): Step[] {
  const steps: Step[] = [];
  const fence = /^```(\w+)(?: file=(\S+))?\n([\s\S]*?)^```$/gm;
  for (const { 1: language, 2: path, 3: text = '', index } of markdown.matchAll(fence)) {
    if (path !== undefined) steps.push({ kind: 'file', path, text });
    else if (language === 'console') steps.push(...commandsOf(text, markdown.slice(0, index).split('\n').length));
  }
  return steps;
}

function commandsOf(text: string, fenceLine: number): Step[] {
  const steps: Step[] = [];
  let command: { command: string; output: string[]; line: number } | undefined;
  const flush = () => {
    if (command) steps.push({ kind: 'command', ...command, output: command.output.join('\n') });
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('$ ')) {
      flush();
      command = { command: line.slice(2), output: [], line: fenceLine + 1 + index };
    } else if (command?.command.endsWith('\\') && command.output.length === 0) command.command += `\n${line}`;
    else command?.output.push(line);
  }
  flush();
  return steps;
}

/** True where what was printed is what the guide shows, `…` standing for anything. */
export function agrees(shown: string, printed: string): boolean {
  const tidy = (text: string) => text.replace(/[ \t]+$/gm, '').trim();
  const pattern = tidy(shown)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*?');
  return new RegExp(`^${pattern}$`).test(tidy(printed));
}

/** A fresh folder in which a guide is followed; `npx rollcall` is the one of this repository. */
export class Reader {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #background: ChildProcess[] = [];
  #address = 'localhost:4002';

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#env = env;
  }

  static async sitDown(env: NodeJS.ProcessEnv = {}): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-guide-'));
    const bin = join(folder, '.bin');
    await mkdir(bin);
    await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${BIN}" "$@"\n`);
    await chmod(join(bin, 'npx'), 0o755);
    return new Reader(folder, { PATH: `${bin}:${process.env['PATH']}`, CHAT_PORT: '0', LOG_FORMAT: 'json', ...env });
  }

  async write(path: string, text: string): Promise<void> {
    const at = join(this.folder, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, text);
  }

  /** @returns what the command printed, standard error included, with `exit status N` behind it where that isn't 0 */
  async run(command: string): Promise<string> {
    if (command.endsWith('&')) return this.#serve(command.slice(0, -1));
    const variable = /^([A-Z]+)=/.exec(command)?.[1];
    // `A=b command` is a command; `A=b` alone is kept for those that follow, as in the reader's shell.
    if (variable !== undefined && /^[A-Z]+=(\$\(.*\)|'[^']*'|"[^"]*"|\S*)$/.test(command))
      return this.#assign(variable, command);
    const child = this.#spawn(command.replaceAll(ADDRESS, this.#address));
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        printed += String(data);
      });
    }
    const [code] = (await once(child, 'close')) as [number];
    return `${printed.replaceAll(this.#address, 'localhost:4002')}${code === 0 ? '' : `exit status ${code}`}`;
  }

  async #assign(variable: string, command: string): Promise<string> {
    const kept = join(this.folder, '.variable');
    const printed = await this.run(`${command} && printf %s "$${variable}" > '${kept}'`);
    if (printed === '') this.#env[variable] = await readFile(kept, 'utf8');
    return printed;
  }

  /** A server in the background. What it prints isn't the guide's matter. */
  async #serve(command: string): Promise<string> {
    // env, since a command may begin with variables.
    const child = this.#spawn(`exec env ${command}`);
    this.#background.push(child);
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no server: ${printed}`)), START_LIMIT_MS);
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (data) => {
          printed += String(data);
          const port = /running on port (\d+)/.exec(printed)?.[1];
          if (port === undefined) return;
          this.#address = `localhost:${port}`;
          // Commands that name the server's port by themselves, such as invite, go by the same environment.
          this.#env['CHAT_PORT'] = port;
          clearTimeout(late);
          resolve();
        });
      }
    });
    return '';
  }

  #spawn(command: string): ChildProcess {
    return spawn('/bin/sh', ['-c', command], { cwd: this.folder, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async standUp(): Promise<void> {
    for (const child of this.#background) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
