/** Where the facts of a commit speak of a removable value: the entry, and what the value is there. */
export interface Place {
  readonly seq: number;
  readonly field: string;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The hashes that the facts keep, and what each of them is of. Takes any value: the facts may have been changed. */
export function placesOf(facts: unknown): {
  readonly hashes: readonly unknown[];
  readonly places: ReadonlyMap<number, Place>;
} {
  const places = new Map<number, Place>();
  const { entries, hashes } = fieldsOf(facts);
  for (const each of listOf(entries)) {
    const entry = fieldsOf(each);
    const seq = Number(entry['seq']);
    const put = (index: unknown, field: string): void => {
      if (typeof index === 'number' && !places.has(index)) places.set(index, { seq, field });
    };
    const putRow = (value: unknown, before: string): void => {
      const row = fieldsOf(value);
      put(row['person'], `${before}.student (uid, name, email, roll, section or picture)`);
      put(row['remarks'], `${before}.remarks`);
      put(row['marked_by'], `${before}.marked_by`);
    };
    put(entry['actor_name'], 'actor.name');
    put(entry['remarks'], 'remarks');
    put(entry['reason'], 'reason');
    if (entry['added'] !== undefined) putRow(entry['added'], 'added');
    for (const row of listOf(entry['roster'])) putRow(row, `roster[${String(fieldsOf(row)['student_id'])}]`);
    const session = fieldsOf(entry['session']);
    put(session['texts'], 'session (topic or description)');
    put(session['teacher_name'], 'session.teacher_name');
    put(fieldsOf(session['course'])['title'], 'session.course (title or code)');
    put(fieldsOf(entry['codes'])['secret'], 'codes.secret');
  }
  return { hashes: listOf(hashes), places };
}
