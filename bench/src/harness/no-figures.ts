/* Why a workload has no figures. */

/** Something that was sent was lost, doubled, refused or out of order: what was measured means nothing. */
export class VoidRun extends Error {
  override readonly name = 'VoidRun';
}

/** What a workload measures isn't there: in the server, or on this machine. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}
