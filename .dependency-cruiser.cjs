// The import rules of ARCHITECTURE.md. `npm run lint:imports` holds the sources against them.
const server = '^packages/server/src/';
const features = '(sessions|checkins|marks|courses|timeouts)';
const notTests = { pathNot: '\\.test(\\.support)?\\.ts$|/src/(testing|end-to-end)/' };

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'features-apart',
      comment:
        'A feature imports the commands’ room, the register, the storage port and the protocol, never another feature.',
      severity: 'error',
      from: { path: `${server}${features}/`, ...notTests },
      to: { path: `${server}${features}/`, pathNot: `${server}$1/` },
    },
    {
      name: 'features-know-no-transport',
      severity: 'error',
      from: { path: `${server}(${features}|commands|register)/`, ...notTests },
      to: {
        path: `${server}(transport|cli|observability|auth|cluster)/|^node_modules/(socket\\.io|express|mongoose|libsql)/`,
      },
    },
    {
      name: 'api-knows-no-transport',
      comment: 'Lists and changes of the school stand on the commands’ room, like a feature; nothing of it is a route.',
      severity: 'error',
      from: { path: `${server}api/`, ...notTests },
      to: {
        path: `${server}(transport|cli|observability|auth|cluster|${features})/|^node_modules/(socket\\.io|express|mongoose|libsql)/`,
      },
    },
    {
      name: 'features-know-no-api',
      severity: 'error',
      from: { path: `${server}(${features}|commands|register|storage|school)/`, ...notTests },
      to: { path: `${server}api/` },
    },
    {
      name: 'register-stands-alone',
      comment: 'The register knows the journal’s form, the storage port and the protocol.',
      severity: 'error',
      from: { path: `${server}register/`, ...notTests },
      to: {
        path: server,
        pathNot: `${server}(register/|journal/|storage/port|(encoded-payload|end-of-turn|make-folder)\\.ts)`,
      },
    },
    {
      name: 'journal-is-the-ground-floor',
      comment: 'The form of the journal knows the protocol alone; the port, the adapters and the register stand on it.',
      severity: 'error',
      from: { path: `${server}journal/`, ...notTests },
      to: { path: server, pathNot: `${server}journal/` },
    },
    {
      name: 'config-stands-alone',
      comment: 'The tables of variables know how times are told and nothing else of the server.',
      severity: 'error',
      from: { path: `${server}config/`, ...notTests },
      to: { path: server, pathNot: `${server}(config/|(school-time|make-folder)\\.ts)` },
    },
    {
      name: 'pure-core',
      comment: 'Deciding and folding take time and randomness as arguments and know no I/O.',
      severity: 'error',
      from: { path: `${server}register/(decide|fold|entries|session-state)\\.ts$` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'adapters-behind-the-port',
      comment:
        'Only storage/open.ts knows which adapter is used, and it imports it lazily. Backup is SQLite’s own affair, and doctor looks into databases that Rollcall may never have opened.',
      severity: 'error',
      from: {
        path: server,
        pathNot: `${server}(storage/|app\\.ts$|cli/backup\\.ts$|cli/doctor/)|\\.test(\\.support)?\\.ts$|/src/(testing|end-to-end)/`,
      },
      to: { path: `${server}storage/(sqlite|mongo)/` },
    },
    {
      name: 'adapters-lazily',
      severity: 'error',
      from: { path: server, pathNot: `${server}storage/|\\.test(\\.support)?\\.ts$|/src/(testing|end-to-end)/` },
      to: { path: `${server}storage/(sqlite|mongo)/`, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-apart',
      severity: 'error',
      from: { path: `${server}storage/(sqlite|mongo)/` },
      to: { path: `${server}storage/(sqlite|mongo)/`, pathNot: `${server}storage/$1/` },
    },
    {
      name: 'adapters-know-little',
      comment: 'An adapter knows the port and the entries it stores.',
      severity: 'error',
      from: {
        path: `${server}storage/`,
        pathNot: `${notTests.pathNot}|storage/open\\.ts$`,
      },
      to: { path: server, pathNot: `${server}(storage/|journal/|(end-of-turn|make-folder)\\.ts)` },
    },
    {
      name: 'tests-stay-out',
      severity: 'error',
      from: {
        path: '^packages/[^/]+/src/',
        pathNot: '\\.test(\\.support)?\\.ts$|/src/(testing|end-to-end)/|/storage/contract/',
      },
      to: {
        path: '\\.test(\\.support)?\\.ts$|/src/(testing|end-to-end)/|/storage/contract/|^node_modules/(vitest|fast-check)/|^(vitest|fast-check)$',
      },
    },
    {
      name: 'protocol-runs-in-a-browser',
      severity: 'error',
      from: { path: '^packages/protocol/src/', ...notTests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'client-runs-in-a-browser',
      severity: 'error',
      from: { path: '^packages/client/src/', ...notTests },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
    },
  },
};
