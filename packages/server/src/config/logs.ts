import { apart, depending, domain, optional } from './domain.js';
import { oneOf, plain } from './readers.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const logs = domain({
  section: 'Logs and metrics',
  rows: {
    METRICS_TOKEN: optional(plain, {
      field: 'metricsToken',
      hidden: true,
      meaning: 'If set, /metrics answers only requests that have this token as Bearer',
    }),
    LOG_LEVEL: depending(
      oneOf(LOG_LEVELS),
      'info; debug in development without a terminal',
      ({ mode, terminal }) => (mode === 'production' || terminal ? 'info' : 'debug'),
      {
        field: 'log.level',
        meaning: `${LOG_LEVELS.join(', ')}; personal data is logged at debug and trace only`,
      },
    ),
    LOG_FORMAT: depending(
      oneOf(['pretty', 'json']),
      'pretty on a terminal, else json',
      ({ terminal }) => (terminal ? 'pretty' : 'json'),
      { field: 'log.format', meaning: 'pretty or json' },
    ),
  },
  together: apart,
});
