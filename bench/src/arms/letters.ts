import type { ArmSpec } from './arm.js';

/** The arms by their letters in the README. */
export const A: ArmSpec = { label: 'A', kind: 'raw-ws', database: 'none' };
export const B: ArmSpec = { label: 'B', kind: 'socket-io', database: 'none' };
export const C: ArmSpec = { label: 'C', kind: 'direct', database: 'sqlite' };
export const D: ArmSpec = { label: 'D', kind: 'rollcall', database: 'sqlite' };
export const E: ArmSpec = { label: 'E', kind: 'rollcall', database: 'tmpfs' };
export const C_MONGO: ArmSpec = { label: 'C', kind: 'direct', database: 'mongo' };
export const D_MONGO: ArmSpec = { label: 'D', kind: 'rollcall', database: 'mongo' };
