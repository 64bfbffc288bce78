import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { EncodedPayload } from '../../../encoded-payload.js';

/** A packet of Socket.IO's protocol, revision 5, whose last argument is written already. */
export function textOf({ type, nsp, id, data }: Packet, payload: EncodedPayload): string {
  const args = (data as readonly unknown[]).slice(0, -1).map((arg) => `${JSON.stringify(arg)},`);
  const namespace = nsp === '/' ? '' : `${nsp},`;
  return `${type}${namespace}${id ?? ''}[${args.join('')}${payload.json}]`;
}

/** Socket.IO's own encoder walks through a payload and writes it for each packet anew. */
class WrittenEncoder extends Encoder {
  override encode(packet: Packet): Array<string | Buffer> {
    const { type, data } = packet;
    if ((type === PacketType.EVENT || type === PacketType.ACK) && Array.isArray(data)) {
      const last: unknown = data[data.length - 1];
      if (last instanceof EncodedPayload) return [textOf(packet, last)];
    }
    return super.encode(packet);
  }
}

/** Socket.IO's default format, in which payloads that are an `EncodedPayload` cost no more than once. Option `parser`. */
export const parser = { Encoder: WrittenEncoder, Decoder };
