import { Connection, type Purpose } from './connection.js';
import { makeInstallation } from './installation.js';
import { convertJournals } from './journal-of-form-1.js';
import { SIGN_IN_TABLES } from './sign-in-changes.js';

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** What SQL alone can't do; runs after `sql` in the same transaction. */
  readonly convert?: (db: Connection) => void;
}

/**
 * In order of version; one that was released is never edited. `journal` has a rowid although its key is text: new
 * rows of all sessions then land on the same pages, which measured about a quarter faster than WITHOUT ROWID.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'people, courses, sessions and their journals',
    sql: `
      CREATE TABLE users (
        user_id TEXT NOT NULL PRIMARY KEY,
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        email TEXT,
        profile_picture TEXT,
        is_admin INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE teachers (
        teacher_id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT UNIQUE,
        department TEXT,
        designation TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE students (
        student_id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT UNIQUE,
        roll TEXT,
        section TEXT,
        department TEXT,
        semester TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE courses (
        course_id TEXT NOT NULL PRIMARY KEY,
        title TEXT,
        course_code TEXT,
        credit REAL,
        teacher_id TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE course_teachers (
        course_id TEXT NOT NULL,
        teacher_id TEXT NOT NULL,
        PRIMARY KEY (course_id, teacher_id)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE enrollments (
        course_id TEXT NOT NULL,
        student_id TEXT NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (course_id, student_id)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE journal (
        session_id TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        entries TEXT NOT NULL,
        PRIMARY KEY (session_id, first_seq)
      ) STRICT;
      CREATE TABLE journals (
        session_id TEXT NOT NULL PRIMARY KEY,
        open INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX journals_open ON journals (session_id) WHERE open = 1;

      CREATE TABLE class_sessions (
        session_id TEXT NOT NULL PRIMARY KEY,
        course_id TEXT,
        date TEXT,
        start_time TEXT,
        end_time TEXT,
        topic TEXT,
        description TEXT,
        status TEXT NOT NULL,
        teacher_id TEXT,
        teacher_name TEXT,
        started_at INTEGER,
        ended_at INTEGER,
        projected_seq INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX class_sessions_active ON class_sessions (session_id) WHERE status = 'active';
      CREATE TABLE attendance_records (
        session_id TEXT NOT NULL,
        student_id TEXT NOT NULL,
        record_id TEXT NOT NULL,
        status TEXT NOT NULL,
        remarks TEXT,
        checked_in_at INTEGER,
        marked_at INTEGER,
        marked_by TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (session_id, student_id)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE pulse (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), beat INTEGER NOT NULL) STRICT;
      INSERT INTO pulse VALUES (1, 0);`,
  },
  {
    version: 2,
    name: 'when a session was last active',
    sql: 'ALTER TABLE journals ADD COLUMN active_at INTEGER',
  },
  {
    version: 3,
    name: 'facts, personal values and the chain of each commit',
    sql: `
      ALTER TABLE journal RENAME TO journal_of_form_1;
      CREATE TABLE journal (
        session_id TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        format INTEGER NOT NULL,
        facts TEXT NOT NULL,
        personal TEXT,
        chain TEXT,
        PRIMARY KEY (session_id, first_seq)
      ) STRICT;`,
    convert: convertJournals,
  },
  {
    version: 4,
    name: 'days of enrolments, and users who may not sign in',
    sql: `
      ALTER TABLE enrollments ADD COLUMN begins TEXT;
      ALTER TABLE enrollments ADD COLUMN ends TEXT;
      ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;`,
  },
  {
    version: 5,
    name: 'the key of the installation, and the servers that use it',
    sql: `
      CREATE TABLE installation (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), key TEXT NOT NULL) STRICT;
      CREATE TABLE servers (
        node TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        channel TEXT,
        ahead_ms INTEGER,
        beat_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;`,
    convert: makeInstallation,
  },
  {
    version: 6,
    name: 'who has left an open session',
    sql: `
      CREATE TABLE departures (
        session_id TEXT NOT NULL,
        student_id TEXT NOT NULL,
        PRIMARY KEY (session_id, student_id)
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    version: 7,
    name: 'indexes of lists',
    sql: `
      CREATE INDEX users_name ON users (name COLLATE NOCASE);
      CREATE INDEX users_rest_of_name ON users (substr(name, instr(name, ' ') + 1) COLLATE NOCASE);
      CREATE INDEX users_uid ON users (uid COLLATE NOCASE);
      CREATE INDEX users_email ON users (email COLLATE NOCASE);
      CREATE INDEX users_admin ON users (user_id) WHERE is_admin = 1;
      CREATE INDEX students_roll ON students (roll COLLATE NOCASE);
      CREATE INDEX courses_teacher ON courses (teacher_id);
      CREATE INDEX course_teachers_teacher ON course_teachers (teacher_id);
      CREATE INDEX enrollments_student ON enrollments (student_id);
      CREATE INDEX class_sessions_course ON class_sessions (course_id);
      CREATE INDEX class_sessions_course_date ON class_sessions (course_id, date);
      CREATE INDEX class_sessions_teacher_date ON class_sessions (teacher_id, date);
      CREATE INDEX attendance_records_student ON attendance_records (student_id);`,
  },
  {
    version: 8,
    name: 'who saw or changed what of others',
    sql: `
      CREATE TABLE access_log (
        number INTEGER NOT NULL PRIMARY KEY,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT,
        format INTEGER NOT NULL,
        facts TEXT NOT NULL,
        personal TEXT,
        chain TEXT NOT NULL
      ) STRICT;
      CREATE INDEX access_log_actor ON access_log (actor);
      CREATE INDEX access_log_action ON access_log (action);
      CREATE INDEX access_log_subject ON access_log (subject);`,
  },
  {
    version: 9,
    name: 'how often imports have changed the school',
    sql: `
      CREATE TABLE school_changes (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT;
      INSERT INTO school_changes VALUES (1, 0);`,
  },
  {
    version: 10,
    name: 'sign-in links, web sessions and identities',
    sql: SIGN_IN_TABLES,
  },
  {
    version: 11,
    name: 'the addresses of calendars',
    sql: `
      CREATE TABLE calendar_tokens (
        user_id TEXT NOT NULL PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        made_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    version: 12,
    name: 'the cursors of followers',
    sql: `
      CREATE TABLE follower_cursors (
        session_id TEXT NOT NULL,
        follower TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (session_id, follower)
      ) STRICT, WITHOUT ROWID;`,
  },
];

export const SCHEMA_VERSION = MIGRATIONS.reduce((highest, { version }) => Math.max(highest, version), 0);

function storedVersion(db: Connection): number {
  if (!db.row(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'`, [])) return 0;
  return Number(db.row('SELECT coalesce(max(version), 0) FROM schema_migrations', [])?.[0] ?? 0);
}

function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw new Error(
    `the database was written by a newer version of Rollcall: its schema is ${version}, this version knows up to ` +
      `${SCHEMA_VERSION}. Start that version, or restore a backup made before the upgrade`,
  );
}

/** Brings the schema up to date in one transaction. Throws for a database of a newer version, and leaves it as it is. */
export function migrate(db: Connection): void {
  const version = storedVersion(db);
  refuseNewer(version);
  if (version === SCHEMA_VERSION) return;
  db.transaction(() => {
    // Looked up again under the write lock: another process may have been migrating.
    const current = storedVersion(db);
    refuseNewer(current);
    db.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
      version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
    for (const migration of MIGRATIONS.filter((one) => one.version > current)) {
      db.exec(migration.sql);
      migration.convert?.(db);
      const { version: number, name } = migration;
      db.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', [number, name, Date.now()]);
    }
  });
}

/**
 * Opens a database. For writing it is made where it is missing, and its schema is brought up to date. Throws when it
 * can't be used, and for one of a newer version.
 * @param givenUp true once nothing shall wait for another process any more
 */
export function openMigrated(path: string, purpose: Purpose = 'write', givenUp?: () => boolean): Connection {
  const db = new Connection(path, purpose, givenUp);
  try {
    if (purpose === 'write') migrate(db);
    else refuseNewer(storedVersion(db));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
