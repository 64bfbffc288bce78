/** What a unit of work costs, as measured on one machine by `measure`. CPU in µs, memory in bytes. */
export interface Costs {
  readonly machine: { readonly cpu: string; readonly node: string; readonly kernel: string };
  readonly measured: { readonly students: number; readonly sessions: number; readonly students_per_session: number };
  /** Of the process of one node. */
  readonly memory: {
    /** A node that serves nobody. */
    readonly base: number;
    /** An active session of `students_per_session`, which every node holds. */
    readonly session: number;
    /** A connected student, on their node. */
    readonly connection: number;
    /** What a join adds on the student's node. */
    readonly join: number;
    /** What a student who is online on another node takes. */
    readonly remote_presence: number;
    /** Resident memory of the fullest node, divided by what was in use on it. */
    readonly resident_factor: number;
    /** Where V8 gives up, unless it is told otherwise. */
    readonly heap_limit: number;
  };
  /** Of the process of one node, all its threads. */
  readonly cpu: {
    /** A connection, with its token's check and the look-up of its user. */
    readonly connect: number;
    /** A join, with its commit, its answer, its notices and its share of the projection. */
    readonly join: number;
    /** A join or mark of another node: reading and applying it, with nobody to tell. */
    readonly remote_change: number;
    /** A start of a session of `students_per_session`. */
    readonly start: number;
    readonly remote_start: number;
    /** A mark with nobody to tell but the teacher. */
    readonly mark: number;
    /** One event to one student. */
    readonly delivery: number;
    /** A connected student who does nothing, per second. */
    readonly idle_student: number;
    /** Looking whether one session has news, as is done for each on each node every 10 s. */
    readonly look: number;
  };
  /** Commands that MongoDB gets. */
  readonly mongo: {
    readonly connect: number;
    readonly join: number;
    readonly mark: number;
    readonly start: number;
    /** Of each other node, by change that it hears of. */
    readonly remote_change: number;
    readonly remote_start: number;
    readonly look: number;
  };
  readonly redis: {
    /** Messages published by change. */
    readonly messages: number;
    /** Bytes of a message as a subscriber gets it. */
    readonly message_bytes: number;
    /** CPU of Redis for one message to one subscriber, in µs. */
    readonly delivery_cpu: number;
  };
}
