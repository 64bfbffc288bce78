import type { ClientEventName, RollcallError } from '@rollcall/protocol';
import type { AckExtra, Command } from '../../../commands/command.js';
import { commandTable } from '../../../commands/command-table.js';
import { Written } from '../../../commands/written.js';
import { refusalOf } from '../problems.js';
import type { ApiAnswer, ApiContext, Caller } from './api-context.js';

type CommandName = keyof typeof commandTable;

/**
 * Carries out a command as a socket's would be: by the same door, under the same rights, with the same answer, which is
 * the acknowledgement's without its `ok`.
 * @param cookie the Cookie header, for a command that looks at it
 * @throws {RollcallError} the refusal
 */
export async function runCommand<Name extends CommandName>(
  name: Name,
  payload: object,
  { person: { uid } }: Caller,
  { dispatch, observe }: ApiContext,
  cookie?: string,
): Promise<ApiAnswer> {
  let answered: { readonly payload: object; readonly extra: AckExtra } | undefined;
  observe.received(name, uid, payload);
  try {
    await dispatch.carryOut(commandTable[name] as unknown as Command<ClientEventName>, {
      uid,
      payload,
      connection: undefined,
      cookie,
      answer: (_events, answer, extra = {}) => {
        answered ??= { payload: answer, extra };
      },
      proceed: () => {},
    });
    if (!answered) throw new Error(`${name} was carried out and not answered`);
  } catch (error) {
    const refusal: RollcallError = refusalOf(error);
    observe.refused(name, uid, payload, refusal);
    throw refusal;
  }
  observe.answered(name, uid, payload, { events: [], seq: answered.extra.seq });
  return { body: Written.of(answered.payload).behind({ ...answered.extra }) };
}
