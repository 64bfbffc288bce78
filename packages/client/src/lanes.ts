/** What a command changes: one student's record, or (`student_id` null) anything of the session. */
export interface Lane {
  readonly session_id: string;
  readonly student_id: string | null;
}

/**
 * Keeps commands in order where order matters: two commands for the same record, or a command for the whole session
 * and anything else of it, go one after the other; everything else goes side by side. Without this a command that has
 * to be tried again could overtake a later one and undo it.
 */
export class Lanes {
  readonly #touched = new Set<string>();
  readonly #whole = new Set<string>();
  readonly #students = new Set<string>();

  /** Takes the next command in order; returns true when none before it stands in its way. */
  enter(lane: Lane | undefined): boolean {
    if (!lane) return true;
    const { session_id, student_id } = lane;
    // JSON keeps ("a", "b c") and ("a b", "c") apart.
    const student = student_id === null ? undefined : JSON.stringify([session_id, student_id]);
    const free =
      student === undefined
        ? !this.#touched.has(session_id)
        : !this.#whole.has(session_id) && !this.#students.has(student);
    this.#touched.add(session_id);
    if (student === undefined) this.#whole.add(session_id);
    else this.#students.add(student);
    return free;
  }
}
