import { answers, serverEvents } from '@rollcall/protocol';
import type { Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';

const schemaOf = (event: string) =>
  Object.hasOwn(serverEvents, event) ? serverEvents[event as keyof typeof serverEvents] : undefined;

/** What is wrong with one event of the server; an app's own events are none of the protocol's business. */
export function faultsOfEvent(event: string, args: readonly unknown[]): string[] {
  const schema = schemaOf(event);
  if (!schema) return [];
  // An event that asks for an acknowledgement has a function as its last argument.
  if (args.length !== 1) return [`${event} carries ${args.length} arguments`];
  const result = schema.safeParse(args[0]);
  return result.success ? [] : [`${event}: ${result.error.message}`];
}

/** What is wrong with the acknowledgement of one command. */
export function faultsOfAck(event: string, ack: readonly unknown[]): string[] {
  if (!Object.hasOwn(answers, event)) return [];
  if (ack.length !== 1) return [`the acknowledgement of ${event} carries ${ack.length} arguments`];
  const result = answers[event as keyof typeof answers].ack.safeParse(ack[0]);
  return result.success ? [] : [`the acknowledgement of ${event}: ${result.error.message}`];
}

/** Holds all that the server sends to this socket against the protocol's schemas: the test fails by what differs. */
export function requireConformity(socket: Socket): { ofAck(event: string, ack: readonly unknown[]): void } {
  const faults: string[] = [];
  socket.onAny((event: string, ...args: unknown[]) => faults.push(...faultsOfEvent(event, sentBy(socket, args))));
  onTestFinished(() => {
    if (faults.length > 0)
      throw new Error(`[OBJ-11] the server sent what its schemas don't allow:\n${faults.join('\n')}`);
  });
  return { ofAck: (event, ack) => void faults.push(...faultsOfAck(event, ack)) };
}

/** An app's Socket.IO that restores connections puts an offset behind the arguments of every event. */
function sentBy(socket: Socket, args: readonly unknown[]): readonly unknown[] {
  const { _pid } = socket as unknown as { readonly _pid?: string };
  return _pid !== undefined && args.length === 2 && typeof args[1] === 'string' ? args.slice(0, 1) : args;
}
