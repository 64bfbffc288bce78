/** Why a workload misses its goal, kept by hand: what a profile or an experiment showed, and no guess. */
export const REASONS: Readonly<Record<string, string>> = {
  'marks-1x16':
    'a commit holds 16 marks at most, which share one fsync and one way to the database’s thread and back: a mark takes twice the CPU that it takes with 256 in flight',
  'start-1000':
    'most of the time is one answer of 450 KB: plain Socket.IO, which reads and stores nothing, takes 8 ms of the 11 that the goal leaves. To read the roster takes 2.9 ms, its entry’s JSON 1.3, the commit 2. With 5,000 students it is met',
  'start-1000-mongo':
    'of the time 45 ms are the roster’s three queries, two of which ask for 1,000 ids each; the server that stands in for MongoDB looks for each of many ids in turn (one query of 1,000 took 55 ms, five of 200 at once take 18). The insert of the opening entry takes 7 ms',
  'start-5000-mongo':
    'as with 1,000 students: the roster’s queries, which ask for 5,000 ids each, on a server that stands in for MongoDB',
  'join-storm-500': 'plain Socket.IO, which looks up nobody and stores nothing, is hardly quicker: 0.69 of C’s time',
  'join-storm-2000':
    'plain Socket.IO takes 0.61 of C’s time; a join costs 50 µs more than there, with a check of its token, the look-up of its student and an entry of the journal',
  'join-storm-15000':
    'plain Socket.IO takes 0.61 of C’s time; a join costs 190 µs more than there, of which 140 are not there with 2,000 students: what makes them grow has not been found',
  'memory-1000': 'what there is once for a session weighs more with few members: with 10,000 the goal is met',
  'hall-15000':
    'not for the slices of 1,000 sockets in which a broadcast goes out: sent in one go, the last one hears as late (443 ms), and the event loop is held up for 576 ms instead of 32. Most of it is spent in the kernel’s `write`; what makes that twice as dear as plain Socket.IO’s with 15,000 sockets, and as dear with 2,000, has not been found',
  'end-1000':
    'the protocol gives each member all records where there are no more than 1,000 of them (FINAL_DATA_RECORDS): that is their square. With 5,000, or a lower limit, everybody gets their own record',
};
