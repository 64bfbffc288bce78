import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

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
  readonly #httpRequests = new Histogram({
    name: 'rollcall_http_request_duration_seconds',
    help: 'Requests over HTTP by route: the pattern of the path, never the path',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
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

  /** A request was answered. @param route the pattern of its path, or `none` */
  httpAnswered(method: string, route: string, status: number, seconds: number): void {
    this.#httpRequests.observe({ method, route, status }, seconds);
  }
}
