export * from './openapi.js';
export * from './operation.js';
export * from './operations/index.js';
export * from './parts.js';
export * from './paths.js';
export * from './problem.js';
