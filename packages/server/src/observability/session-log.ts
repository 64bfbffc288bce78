import type { SessionId } from '@rollcall/protocol';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { SessionWatcher } from '../register/session-watcher.js';
import type { Logger } from './logger.js';

/** One line for the start and one for the end of each session, with ids and counts and without anybody's name. */
export class SessionLog implements SessionWatcher {
  readonly #logger: Logger;
  readonly #sessions: LiveSessions;
  /** Sessions whose end this node committed: the other nodes learn of the end by reading it. */
  readonly #endedHere = new Set<SessionId>();

  constructor(logger: Logger, sessions: LiveSessions) {
    this.#logger = logger;
    this.#sessions = sessions;
    sessions.follow(this);
  }

  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void {
    // How many sessions were restored is part of the line `listening`.
    if (from === 'restored') return;
    this.#logger.info(
      { ...idsOf(live), students: live.state.lines.size, ...onAnotherNode(from === 'elsewhere') },
      'a session started',
    );
  }

  changed(live: LiveSession, committedHere: boolean): void {
    // Not of amendments.
    if (live.state.ending && committedHere && this.#sessions.active(live.session_id))
      this.#endedHere.add(live.session_id);
  }

  ended(live: LiveSession): void {
    const here = this.#endedHere.delete(live.session_id);
    const { lines, counts, ending, seq } = live.state;
    const { present, late, absent, excused } = counts;
    this.#logger.info(
      {
        ...idsOf(live),
        reason: ending?.reason,
        students: lines.size,
        present,
        late,
        absent,
        excused,
        seq,
        ...onAnotherNode(!here),
      },
      'a session ended',
    );
  }
}

const idsOf = ({ session_id, state }: LiveSession) => ({ session_id, course_id: state.facts.course_id });

/** Each node tells of each session, so that a line that stands for the same start or end says so. */
const onAnotherNode = (elsewhere: boolean) => (elsewhere ? { on_another_node: true } : {});
