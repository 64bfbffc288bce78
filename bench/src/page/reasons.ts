/** Why a workload misses its goal, kept by hand: what a profile or an experiment showed, and no guess. */
export const REASONS: Readonly<Record<string, string>> = {
  'marks-1x16':
    'a commit holds 16 marks at most, which share one fsync and one way to the database’s thread and back: a mark takes twice the CPU that it takes with 256 in flight. On another machine, with a slower processor and an fsync of 0.21 ms instead of 0.13, the ratio was 2.99; which of the two makes the difference was not looked into',
  'start-1000':
    'most of the time is one answer of 450 KB: plain Socket.IO, which reads and stores nothing, takes 8 ms, as much as the goal leaves. In the server, to read the roster takes 2.6 ms, to make and write down the entry 1.4, to commit it 3 (an insert and fsync of as much takes 1.1 by itself), to send the answer 2. On another machine, with a slower processor and an fsync of 0.21 ms instead of 0.13, C took 227 ms and the ratio was 1/16',
  'start-5000':
    'as with 1,000 students: plain Socket.IO takes 28 ms of the 37 that the goal leaves. On the other machine C took 1,073 ms, and the goal was met (1/20.8)',
  'start-1000-mongo':
    'of the time 45 ms are the roster’s three queries, two of which ask for 1,000 ids each; the server that stands in for MongoDB looks for each of many ids in turn (one query of 1,000 took 55 ms, five of 200 at once take 18). The insert of the opening entry takes 7 ms',
  'start-5000-mongo':
    'as with 1,000 students: the roster’s queries, which ask for 5,000 ids each, on a server that stands in for MongoDB',
  'join-storm-500':
    'a storm of 500 is over within 0.2 s, and rounds of one arm differ by half. Plain Socket.IO, which looks up nobody and stores nothing, takes 0.77 of C’s time',
  'join-storm-2000':
    'a join costs 76 µs more than with plain Socket.IO, with a check of its token (20), the record and the journal (16 on the database’s thread, 20 on the main one), and what the garbage of all that costs. Plain Socket.IO takes 0.62 of C’s time',
  'join-storm-15000':
    'a join costs 43 µs more than with plain Socket.IO, with a check of its token (20) and the record and the journal. Plain Socket.IO takes 0.61 of C’s time',
  'idle-mark':
    'an fsync of this disk takes 0.13 ms: the way to the database’s thread and back, which the arm in memory has too, varies by as much',
  'end-1000':
    'the protocol gives each member all records where there are no more than 1,000 of them (FINAL_DATA_RECORDS): that is their square. With 5,000, or a lower limit, everybody gets their own record',
};
