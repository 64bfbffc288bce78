/** Version of the protocol, which is that of its package. */
export const PROTOCOL_VERSION = '0.1.0';
