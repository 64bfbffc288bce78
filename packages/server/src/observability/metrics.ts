import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What a server counts; one registry a server, so that several live in one process. */
export class Metrics {
  readonly registry = new Registry();
  readonly connections = new Gauge({
    name: 'rollcall_connections',
    help: 'Authenticated sockets',
    registers: [this.registry],
  });
  readonly refusedConnections = new Counter({
    name: 'rollcall_refused_connections_total',
    help: 'Connections refused at the handshake',
    registers: [this.registry],
  });
  readonly commands = new Counter({
    name: 'rollcall_commands_total',
    help: 'Commands by event and result: ok or the code of the refusal',
    labelNames: ['event', 'result'] as const,
    registers: [this.registry],
  });
  readonly unknownEvents = new Counter({
    name: 'rollcall_unknown_events_total',
    help: 'Events that the server does not know',
    registers: [this.registry],
  });

  /** @param activeSessions read at each scrape */
  constructor(activeSessions: () => number) {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'rollcall_active_sessions',
      help: 'Attendance sessions in memory',
      registers: [this.registry],
      collect() {
        this.set(activeSessions());
      },
    });
  }
}
