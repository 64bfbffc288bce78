/**
 * Method and path of every operation of the HTTP API, under its name; below /api/v1. Without any schema, so that a
 * page that only calls them loads nothing else.
 */
export const paths = {
  getMe: 'GET /me',

  getSession: 'GET /sessions/{session_id}',
  startSession: 'POST /sessions/{session_id}/start',
  endSession: 'POST /sessions/{session_id}/end',
  keepSessionAlive: 'POST /sessions/{session_id}/keep-alive',
  checkIn: 'POST /sessions/{session_id}/check-ins',
  getCard: 'GET /sessions/{session_id}/card',
  getJournal: 'GET /sessions/{session_id}/journal',
  updateRecords: 'PATCH /sessions/{session_id}/records',
  putRecord: 'PUT /sessions/{session_id}/records/{student_id}',

  getOpenApi: 'GET /openapi.json',
} as const;

export type OperationName = keyof typeof paths;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The two halves of an operation's place. */
export function placeOf(name: OperationName): { readonly method: Method; readonly path: string } {
  const [method, path] = paths[name].split(' ') as [Method, string];
  return { method, path };
}
