/** A whole school at once. */
export interface Schools {
  /** Upserts a school, all or nothing where the database can (SQLite), else list by list in an order that a repeat completes. */
  importSchool(school: School, options: { dryRun: boolean }): Promise<ImportReport>;
  /** The approved enrolments of these courses, on whatever days they count. */
  approvedEnrollments(courseIds: readonly string[]): Promise<StoredEnrollment[]>;
  /** The teacher and student profiles of these ids that have a user, also a disabled one; unknown ids are left out. */
  findProfiles(ids: readonly string[]): Promise<StoredProfile[]>;
  /**
   * A number that is another one after each import that changed something, made by whatever process. Rows that an app
   * changes itself don't change it.
   */
  changes(): Promise<number>;
}

/** An enrolment as it is stored; the student by the id of their profile. */
export interface StoredEnrollment {
  readonly course_id: string;
  readonly student_id: string;
}

export interface StoredProfile {
  readonly list: 'teachers' | 'students';
  readonly id: string;
  readonly uid: string;
  readonly name: string;
}

/**
 * A school as an import brings it: checked, ids filled in, every reference inside it or in the database. Null says
 * nothing: a stored value stays. A list is said as a whole: an empty `co_teacher_ids` takes the co-teachers away.
 */
export interface School {
  readonly teachers: ReadonlyArray<{
    readonly id: string;
    readonly uid: string;
    readonly name: string;
    readonly email: string | null;
    readonly department: string | null;
    readonly designation: string | null;
    readonly profile_picture: string | null;
    /** True for a user who may not sign in and is on no roster; null says nothing. */
    readonly disabled?: boolean | null;
  }>;
  readonly students: ReadonlyArray<{
    readonly id: string;
    readonly uid: string;
    readonly name: string;
    readonly email: string | null;
    readonly roll: string | null;
    readonly section: string | null;
    readonly department: string | null;
    readonly semester: string | null;
    readonly profile_picture: string | null;
    /** True for a user who may not sign in and is on no roster; null says nothing. */
    readonly disabled?: boolean | null;
  }>;
  readonly admins: ReadonlyArray<{
    readonly uid: string;
    readonly name: string;
    readonly email: string | null;
    readonly disabled?: boolean | null;
  }>;
  readonly courses: ReadonlyArray<{
    readonly id: string;
    readonly title: string;
    readonly course_code: string | null;
    readonly credit: number | null;
    readonly teacher_id: string | null;
    readonly co_teacher_ids: readonly string[];
    /** True where no `teacher_id` says that the course has no teacher any more. */
    readonly teacher_gone?: boolean;
  }>;
  readonly enrollments: ReadonlyArray<{
    readonly course_id: string;
    readonly student_id: string;
    readonly status: 'pending' | 'approved' | 'rejected';
    /**
     * The first day on which it counts, and the first on which it no longer does, as `2026-11-23`. Status and days are
     * said as a whole: without a day there is no bound.
     */
    readonly begins?: string | null;
    readonly ends?: string | null;
  }>;
  readonly sessions: ReadonlyArray<{
    readonly id: string;
    readonly course_id: string | null;
    /** Only where the session is not its course's teacher's. */
    readonly teacher_id: string | null;
    readonly date: string;
    readonly start_time: string | null;
    readonly end_time: string | null;
    readonly topic: string | null;
    readonly description: string | null;
    readonly status: 'scheduled' | 'completed' | 'cancelled';
  }>;
}

export type SchoolList = keyof School;

/** Counts per list. `left` are rows that were already so, and sessions that run or ran under Rollcall. */
export interface ImportReport {
  readonly added: Readonly<Record<SchoolList, number>>;
  readonly changed: Readonly<Record<SchoolList, number>>;
  readonly left: Readonly<Record<SchoolList, number>>;
  /** References to teachers, students or courses that neither the school nor the database has; then nothing was kept. */
  readonly unresolved: ReadonlyArray<{
    readonly list: SchoolList;
    readonly index: number;
    readonly field: string;
    readonly value: string;
  }>;
}
