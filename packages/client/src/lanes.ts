/** What a command changes: one student's record, or (`student_id` null) anything of the session. */
export interface Lane {
  readonly session_id: string;
  readonly student_id: string | null;
}

/** A command's place among those that haven't left. */
export interface Place<Command> {
  readonly command: Command;
  readonly lane: Lane;
  /** In order of entering. */
  readonly number: number;
  left: boolean;
}

/** Places in order of entering. Those that left are dropped when they come first. */
class Line<Command> {
  #places: Array<Place<Command>> = [];
  #start = 0;

  add(place: Place<Command>): void {
    this.#places.push(place);
  }

  /** The first that hasn't left. */
  first(): Place<Command> | undefined {
    while (this.#places[this.#start]?.left) this.#start += 1;
    if (this.#start > 32 && this.#start * 2 > this.#places.length) {
      this.#places = this.#places.slice(this.#start);
      this.#start = 0;
    }
    return this.#places[this.#start];
  }

  /** Takes the first that hasn't left out of the line. */
  take(): void {
    if (this.first()) this.#start += 1;
  }
}

/** The commands of one session. */
class SessionLanes<Command> {
  /** Those for the whole session. */
  readonly #whole = new Line<Command>();
  /** Those for a student that came after the first one for the whole session, and wait for it. */
  readonly #behind = new Line<Command>();
  /** The others, by student: of each the first is free to go. */
  readonly #students = new Map<string, Line<Command>>();
  /** Number of commands in #students. */
  #ahead = 0;

  get empty(): boolean {
    return this.#ahead === 0 && !this.#whole.first();
  }

  /** Returns whether the command is free to go. */
  enter(place: Place<Command>): boolean {
    const { student_id } = place.lane;
    if (student_id === null) {
      this.#whole.add(place);
      return this.#ahead === 0 && this.#whole.first() === place;
    }
    if (!this.#whole.first()) return this.#admit(place, student_id);
    this.#behind.add(place);
    return false;
  }

  /** Returns the commands that are free to go now. */
  leave(place: Place<Command>): Command[] {
    const { student_id } = place.lane;
    const students = student_id === null ? undefined : this.#students.get(student_id);
    const first = (students ?? this.#whole).first();
    // One that is still behind keeps nobody waiting, nor does one that isn't the first for the whole session.
    const counts = students ? place.number <= this.#lastAhead() : student_id === null && first === place;
    place.left = true;
    if (!counts) return [];
    if (student_id === null) return this.#moveUp();
    this.#ahead -= 1;
    const next = students?.first();
    if (!next) this.#students.delete(student_id);
    if (next && first === place) return [next.command];
    return this.#ahead === 0 ? this.#free(this.#whole.first()) : [];
  }

  /** A command for a student is before every one that is for the whole session. */
  #admit(place: Place<Command>, student_id: string): boolean {
    const line = this.#students.get(student_id) ?? new Line<Command>();
    this.#students.set(student_id, line);
    line.add(place);
    this.#ahead += 1;
    return line.first() === place;
  }

  /** The first command for the whole session has left: those between it and the next one come before that. */
  #moveUp(): Command[] {
    const free: Command[] = [];
    for (let place = this.#behind.first(); place && place.number <= this.#lastAhead(); place = this.#behind.first()) {
      this.#behind.take();
      if (this.#admit(place, place.lane.student_id ?? '')) free.push(place.command);
    }
    return this.#ahead === 0 ? this.#free(this.#whole.first()) : free;
  }

  /** Up to which number commands are before every one for the whole session. */
  #lastAhead(): number {
    return this.#whole.first()?.number ?? Number.POSITIVE_INFINITY;
  }

  #free(place: Place<Command> | undefined): Command[] {
    return place ? [place.command] : [];
  }
}

/**
 * Keeps commands in order where order matters: two commands for the same record, or a command for the whole session
 * and anything else of it, go one after the other; everything else goes side by side. Without this a command that has
 * to be tried again could overtake a later one and undo it.
 *
 * Entering and leaving cost the same however many commands there are: together, time in proportion to their number.
 */
export class Lanes<Command> {
  readonly #sessions = new Map<string, SessionLanes<Command>>();
  #entered = 0;

  /** Takes the next command in order, and says whether it is free to go. */
  enter(command: Command, lane: Lane): { place: Place<Command>; free: boolean } {
    const { session_id, student_id } = lane;
    const place = { command, lane: { session_id, student_id }, number: this.#entered++, left: false };
    const session = this.#sessions.get(session_id) ?? new SessionLanes<Command>();
    this.#sessions.set(session_id, session);
    return { place, free: session.enter(place) };
  }

  /** A command was answered or given up; returns those that are free to go now. */
  leave(place: Place<Command>): Command[] {
    const { session_id } = place.lane;
    const session = this.#sessions.get(session_id);
    const free = session?.leave(place) ?? [];
    if (session?.empty) this.#sessions.delete(session_id);
    return free;
  }
}
