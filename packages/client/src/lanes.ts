/** What a command changes: one student's record, or (`student_id` null) anything of the session. */
export interface Lane {
  readonly session_id: string;
  readonly student_id: string | null;
}

/** A command's place among those that haven't left. */
export interface Place<Command> {
  readonly command: Command;
  readonly lane: Lane;
  /** Number of places that must leave first. */
  before: number;
  /** Places that wait for this one. */
  readonly after: Array<Place<Command>>;
  left: boolean;
}

/** The last places of one session. */
interface Ends<Command> {
  /** Of the last command for the whole session. */
  whole: Place<Command> | undefined;
  /** Of each student's last command since then. */
  readonly students: Map<string, Place<Command>>;
}

/**
 * Keeps commands in order where order matters: two commands for the same record, or a command for the whole session
 * and anything else of it, go one after the other; everything else goes side by side. Without this a command that has
 * to be tried again could overtake a later one and undo it.
 *
 * Each place knows how many it waits for and which wait for it, so that entering and leaving cost the same however
 * many there are: together, time in proportion to the number of commands.
 */
export class Lanes<Command> {
  readonly #sessions = new Map<string, Ends<Command>>();

  /** Takes the next command in order. It is free to go when nothing is `before` it. */
  enter(command: Command, lane: Lane): Place<Command> {
    const place: Place<Command> = { command, lane, before: 0, after: [], left: false };
    const { session_id, student_id } = lane;
    const ends = this.#sessions.get(session_id) ?? { whole: undefined, students: new Map() };
    this.#sessions.set(session_id, ends);
    if (student_id !== null) {
      follow(place, ends.students.get(student_id) ?? ends.whole);
      ends.students.set(student_id, place);
      return place;
    }
    // Students' commands since the last one for the whole session wait for that themselves.
    if (ends.students.size === 0) follow(place, ends.whole);
    for (const last of ends.students.values()) follow(place, last);
    ends.students.clear();
    ends.whole = place;
    return place;
  }

  /**
   * A command was answered or given up; returns those that are free to go now. One that is given up before its turn
   * keeps its place, so that those behind it go on waiting for those before it.
   */
  leave(place: Place<Command>): Command[] {
    place.left = true;
    const free: Command[] = [];
    const leaving = place.before === 0 ? [place] : [];
    for (let gone = leaving.pop(); gone; gone = leaving.pop()) {
      this.#remove(gone);
      for (const next of gone.after) {
        next.before -= 1;
        if (next.before > 0) continue;
        if (next.left) leaving.push(next);
        else free.push(next.command);
      }
    }
    return free;
  }

  #remove(place: Place<Command>): void {
    const { session_id, student_id } = place.lane;
    const ends = this.#sessions.get(session_id);
    if (!ends) return;
    if (ends.whole === place) ends.whole = undefined;
    if (student_id !== null && ends.students.get(student_id) === place) ends.students.delete(student_id);
    if (!ends.whole && ends.students.size === 0) this.#sessions.delete(session_id);
  }
}

function follow<Command>(place: Place<Command>, last: Place<Command> | undefined): void {
  if (!last) return;
  place.before += 1;
  last.after.push(place);
}
