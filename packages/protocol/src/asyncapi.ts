import { answers } from './answers.js';
import { type ClientEventName, clientEvents } from './client-events.js';
import { clientEventTable, serverEventTable } from './event-table.js';
import { ackExamples, clientExamples, refusedAckExample, serverExamples } from './examples.js';
import { clientJsonSchema, type JsonSchema, jsonSchemaOf, type NamedSchemas } from './json-schemas.js';
import { type ServerEventName, serverEvents } from './server-events.js';
import { PROTOCOL_VERSION } from './version.js';

const SCHEMAS = '#/components/schemas/';
const CHANNEL = '#/channels/rollcall';

interface Message {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly payload: JsonSchema;
  readonly examples: ReadonlyArray<{ readonly name: string; readonly payload: unknown }>;
}

const messageRef = (name: string) => ({ $ref: `${CHANNEL}/messages/${name}` });
const ackName = (name: ClientEventName) => `${name}Ack`;

function clientMessage(name: ClientEventName, named: NamedSchemas): Message {
  return {
    name,
    title: name,
    summary: clientEventTable[name].summary,
    payload: clientJsonSchema(name, SCHEMAS, named),
    examples: [{ name, payload: clientExamples[name] }],
  };
}

function ackMessage(name: ClientEventName, named: NamedSchemas): Message {
  return {
    name: ackName(name),
    title: `Acknowledgement of ${name}`,
    summary: `What the acknowledgement callback of ${name} gets.`,
    payload: jsonSchemaOf(answers[name].ack, 'output', SCHEMAS, named),
    examples: [
      { name: 'done', payload: ackExamples[name] },
      { name: 'refused', payload: refusedAckExample },
    ],
  };
}

function serverMessage(name: ServerEventName, named: NamedSchemas): Message {
  return {
    name,
    title: name,
    summary: serverEventTable[name].summary,
    payload: jsonSchemaOf(serverEvents[name], 'output', SCHEMAS, named),
    examples: [{ name, payload: serverExamples[name] }],
  };
}

/** Operations are named from the server's side: it receives what clients send. */
function receiveOperation(name: ClientEventName) {
  const { events, refusals } = answers[name];
  return {
    action: 'receive',
    channel: { $ref: CHANNEL },
    summary: clientEventTable[name].summary,
    description: `Who may send it: ${clientEventTable[name].who}`,
    messages: [messageRef(name)],
    reply: {
      channel: { $ref: CHANNEL },
      messages: [ackName(name), ...events, ...refusals].map(messageRef),
    },
  };
}

function sendOperation(name: ServerEventName) {
  return {
    action: 'send',
    channel: { $ref: CHANNEL },
    summary: serverEventTable[name].summary,
    description: `Who gets it: ${serverEventTable[name].to}`,
    messages: [messageRef(name)],
  };
}

/** The protocol as an AsyncAPI 3.0 document: a plain object, ready for JSON.stringify. */
export function asyncApiDocument(): object {
  const named: NamedSchemas = {};
  const clientNames = Object.keys(clientEvents) as ClientEventName[];
  const serverNames = Object.keys(serverEvents) as ServerEventName[];
  const messages = [
    ...clientNames.map((name) => clientMessage(name, named)),
    ...clientNames.map((name) => ackMessage(name, named)),
    ...serverNames.map((name) => serverMessage(name, named)),
  ];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Rollcall',
      version: PROTOCOL_VERSION,
      description:
        'Real-time attendance over Socket.IO 4. Every event carries one argument, an object. Every event of a client takes an optional acknowledgement callback.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: 'localhost:4002',
        pathname: '/socket.io',
        protocol: 'socket.io',
        protocolVersion: '5',
        description: 'Socket.IO 4 in its default namespace, over websocket and polling.',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      rollcall: {
        address: '/',
        description: 'The default namespace.',
        messages: Object.fromEntries(messages.map((message) => [message.name, message])),
      },
    },
    operations: {
      ...Object.fromEntries(clientNames.map((name) => [name, receiveOperation(name)])),
      ...Object.fromEntries(serverNames.map((name) => [name, sendOperation(name)])),
    },
    components: {
      schemas: named,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Sent as `auth.token` of the handshake, or as `Authorization: Bearer`.',
        },
      },
    },
  };
}
