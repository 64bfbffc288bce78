import { readFile } from 'node:fs/promises';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { asyncApiDocument } from './asyncapi.js';
import { clientEvents, PROTOCOL_VERSION, serverEvents } from './index.js';

/** As much of the document as the tests look at. */
interface Document {
  readonly info: { readonly version: string };
  readonly channels: { readonly rollcall: { readonly messages: Readonly<Record<string, Message>> } };
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly action: 'send' | 'receive';
        readonly messages: readonly Ref[];
        readonly reply?: { readonly messages: readonly Ref[] };
      }
    >
  >;
}
interface Ref {
  readonly $ref: string;
}
interface Message {
  readonly payload: object;
  readonly examples: ReadonlyArray<{ readonly payload: unknown }>;
}

const document = asyncApiDocument() as Document;
const messages = Object.entries(document.channels.rollcall.messages);

// Formats are left to zod: what matters here is shape, and Ajv knows none without a plug-in.
const ajv = () => new Ajv({ strict: false, validateFormats: false });

test('[OBJ-13] the document is valid AsyncAPI 3.0', () => {
  const validate = ajv().compile({ ...specs.schemasWithoutId['3.0.0'] } as object);
  validate(document);
  expect(validate.errors).toBeNull();
  expect(validate({ ...document, info: { title: 'Rollcall' } })).toBe(false);
  expect(validate({ ...document, operations: { broken: { action: 'shout' } } })).toBe(false);
});

test.each(Object.keys(clientEvents))('[OBJ-13] %s is received, and answered', (name) => {
  const operation = document.operations[name];
  expect(operation?.action).toBe('receive');
  expect(operation?.messages).toEqual([{ $ref: `#/channels/rollcall/messages/${name}` }]);
  expect(operation?.reply?.messages).toContainEqual({ $ref: `#/channels/rollcall/messages/${name}Ack` });
});

test.each(Object.keys(serverEvents))('[OBJ-13] %s is sent', (name) => {
  const operation = document.operations[name];
  expect(operation?.action).toBe('send');
  expect(operation?.messages).toEqual([{ $ref: `#/channels/rollcall/messages/${name}` }]);
});

test('[OBJ-13] every reference leads somewhere', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  expect(refs.length).toBeGreaterThan(100);
  for (const path of new Set(refs)) {
    const target = path
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(target, path).toBeTypeOf('object');
  }
});

describe('[OBJ-12] the examples of the document conform to its own schemas', () => {
  const schemas = ajv().addSchema(document, 'document');

  test.each(messages)('%s', (name, message) => {
    const validate = schemas.compile({ $ref: `document#/channels/rollcall/messages/${name}/payload` });
    expect(message.examples.length).toBeGreaterThan(0);
    for (const { payload } of message.examples) {
      validate(payload);
      expect(validate.errors).toBeNull();
    }
    expect(validate('no object')).toBe(false);
  });
});

test('[OBJ-13] the version is that of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(PROTOCOL_VERSION).toBe(version);
  expect(document.info.version).toBe(version);
});
