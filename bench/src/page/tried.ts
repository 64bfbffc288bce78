export interface Tried {
  /** What was done. */
  readonly what: string;
  /** What came of it, in figures. */
  readonly came: string;
}

/** Kept by hand, so that nobody tries it twice without a new idea. */
export const TRIED: readonly Tried[] = [
  {
    what: 'A semi-space of 32 and of 64 MB, so that what a mark leaves dies young',
    came: 'CPU of a mark 110.8 and 112.1 µs, against 108.8 without',
  },
  {
    what: 'V8 without parallel scavenging, since the server’s two processors are shared',
    came: 'marks of 16 sessions 0.75 times plain Socket.IO with and without, at the same CPU',
  },
  {
    what: 'Records of a projection by one statement over a JSON array, instead of a prepared statement for each',
    came: '1,000 records in 6.2 to 6.3 ms, against 6.0 to 6.1',
  },
  {
    what: 'In a large class of 15,000, statistics to participants a quarter of a second later than the change',
    came: 'the last one had the change after 448 ms, against 471: they then went out while the next change did. In one write with the change they cost nothing: 242 ms',
  },
  {
    what: 'Looking up together the people who connect in one turn of the event loop',
    came: 'a storm of 2,000 whose people all have to be looked up took the main and the database’s thread 690 and 707 ms of CPU, against 680 without. Into the next query with all that come while one is under way, and without lru-cache’s fetch, a look-up adds some 33 µs to a join instead of 72',
  },
  {
    what: 'Asking for hardware instruction counts instead of CPU time in the regression gate',
    came: 'the virtual machine has no such counters (`perf stat` says `<not supported>`)',
  },
];
