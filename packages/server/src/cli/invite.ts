import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { CourseId } from '@rollcall/protocol';
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.js';
import type { SignInLinks } from '../sign-in/links.js';
import type { Course, Person, Storage } from '../storage/port.js';
import { visible } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { uidOption } from './token.js';

const ROLES = ['teacher', 'student', 'admin'] as const;
type Role = (typeof ROLES)[number];

interface InviteOptions {
  readonly uid?: string;
  readonly role?: Role;
  readonly name?: string;
  readonly email?: string;
  readonly json?: boolean;
  readonly course?: string;
  readonly cards?: string;
}

export function addInvite(program: Command): void {
  program
    .command('invite')
    .summary('make links that sign people in')
    .description(
      'Prints a link that signs a user in, once, within seven days; or writes a page of such links, a card for each ' +
        'student of a course, to be printed. The links lead to PUBLIC_URL.',
    )
    .option('--uid <uid>', 'sign-in name of the user', uidOption)
    .addOption(new Option('--role <role>', 'makes the user, where there is none of this uid').choices(ROLES))
    .option('--name <name>', 'name of a user who is made')
    .option('--email <address>', 'email address of a user who is made')
    .option('--json', 'print {uid, url, expires_at}')
    .option('--course <id>', 'the students of this course')
    .option('--cards <file>', 'where to write the page of cards (HTML); a file that is there is left alone')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall invite --uid ada\n' +
        "  rollcall invite --uid kim --role student --name 'Kim Lee'\n" +
        '  rollcall invite --course course-1 --cards cards.html\n',
    )
    .action(invite);
}

async function invite(options: InviteOptions, command: Command): Promise<void> {
  const { uid, course, cards, role, name, email, json } = options;
  const wrong = (what: string) => command.error(`rollcall: ${what}`);
  if ((uid === undefined) === (course === undefined)) return wrong("name either '--uid <uid>' or '--course <id>'");
  if ((course === undefined) !== (cards === undefined)) return wrong('--course and --cards go together');
  if (course !== undefined && (role ?? name ?? email ?? json) !== undefined) {
    return wrong('--role, --name, --email and --json go with --uid');
  }
  if (role === undefined && (name ?? email) !== undefined) return wrong('--name and --email go with --role');
  const config = loadDatabaseConfig();
  const publicUrl = publicUrlOf(config);
  const [{ openStorage }, { SignInLinks }] = await Promise.all([
    import('./open-storage.js'),
    import('../sign-in/links.js'),
  ]);
  const storage = await openStorage(config, 'invite', role === undefined);
  try {
    const { signIn } = storage;
    // Links are made here, and used by the server.
    const personOfUser = async () => undefined;
    const links = new SignInLinks({ signIn, personOfUser, publicUrl: () => publicUrl, now: Date.now });
    if (uid !== undefined) await inviteOne(storage, links, { ...options, uid });
    else await inviteCourse(storage, links, course ?? '', cards ?? '');
  } finally {
    await storage.close();
  }
}

/** Where the server is reached. @throws {CommandFailure} where nothing says so */
function publicUrlOf({ publicUrl, mode, port }: Pick<Config, 'publicUrl' | 'mode' | 'port'>): string {
  if (publicUrl !== null) return publicUrl;
  if (mode === 'production' || port === 0) {
    throw new CommandFailure('PUBLIC_URL is not set: set it to the address at which people reach the server');
  }
  return `http://localhost:${port}`;
}

type Invited = InviteOptions & { readonly uid: string };

async function inviteOne(storage: Storage, links: SignInLinks, invited: Invited): Promise<void> {
  const { uid, role, json } = invited;
  const known = await storage.people.findPersonByUid(uid);
  const person = known ?? (await made(storage, invited));
  const { url, expires_at } = await links.make(person.user_id, 'invite');
  const until = new Date(expires_at).toISOString();
  process.stdout.write(json ? `${JSON.stringify({ uid, url, expires_at: until })}\n` : `${url}\n`);
  if (known && role !== undefined && !hasRole(known, role)) {
    process.stderr.write(
      `rollcall: "${visible(uid)}" is known already, and is no ${role}: they were left as they are\n`,
    );
  }
}

async function made(storage: Storage, { uid, role, name, email }: Invited): Promise<Person> {
  if (role === undefined) {
    const cure = 'import them, or make one with --role teacher, student or admin';
    throw new CommandFailure(`there is no user "${visible(uid)}", or they are disabled: ${cure}`);
  }
  const person = await storage.people.provisionPerson({ uid, name: name ?? uid, email: email ?? null, role });
  if (person === null) throw new CommandFailure(`the user "${visible(uid)}" is disabled`);
  return person;
}

const hasRole = ({ is_admin, teacher, student }: Person, role: Role): boolean =>
  ({ admin: is_admin, teacher: teacher !== null, student: student !== null })[role];

async function inviteCourse(storage: Storage, links: SignInLinks, courseId: string, path: string): Promise<void> {
  const course = await storage.courses.findCourse(courseId as CourseId);
  if (!course) throw new CommandFailure(`there is no course "${visible(courseId)}"`);
  const roster = await storage.courses.listRoster(course.course_id);
  const students = roster.flatMap(({ user_id, ...student }) => (user_id === null ? [] : { ...student, user_id }));
  if (students.length === 0) throw new CommandFailure(`nobody is enrolled in the course "${visible(courseId)}"`);
  // Before any link is made. Whoever can read the file can sign in as everybody in it.
  const file = await newFile(path);
  let until = '';
  try {
    const { cardsPage } = await import('./sign-in-cards.js');
    const made = await Promise.all(students.map(({ user_id }) => links.make(user_id, 'invite')));
    until = dateOf(Math.min(...made.map(({ expires_at }) => expires_at)));
    const cards = students.map(({ name, roll }, index) => ({ name, roll, url: made[index]?.url ?? '' }));
    await file.writeFile(cardsPage({ course: titleOf(course), until, cards }));
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(path);
    throw error;
  }
  const without = roster.length - students.length;
  process.stdout.write(
    `${students.length} ${students.length === 1 ? 'card is' : 'cards are'} in ${visible(path)}. ` +
      `Each signs its student in, once, until ${until}: print them, hand them out, and delete the file.\n` +
      (without > 0 ? `${without} on the roster have no user, and so no card.\n` : ''),
  );
}

async function newFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandFailure(`${visible(path)} is there already: name another file, or delete it`);
  }
}

const titleOf = ({ course_id, title, course_code }: Course): string =>
  [title, course_code].filter((part) => part !== null && part !== '').join(' · ') || course_id;

/** Of a moment the day and the time by the clock of this machine, as people read it on paper. */
const dateOf = (ms: number): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' }).format(ms);
