/**
 * Who may import whom; `docs/architecture.md` says why. `test/architecture.spec.ts` runs it and shows that it catches.
 * Each rule names what a folder may use inside `src`: everything else inside `src` is refused. `$1` is the feature itself.
 */
const features = 'agents|models|settings|hardware|health|metrics|cache-admin';

/** Inside `src`, files of `from` may import `allowed` and nothing else. */
function only(name, from, allowed, comment) {
  return { name, severity: 'error', comment, from: { path: from }, to: { path: '^src/', pathNot: allowed } };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'No rings, type-only ones included.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'Every import leads somewhere.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      severity: 'error',
      comment: 'What ships uses packages that package.json lists for it.',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'core-is-alone',
      severity: 'error',
      comment:
        'The core could be a package of its own: nothing outside its folder, no package, no node module.',
      from: { path: '^src/cache/core/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^src/cache/core/' },
    },
    only(
      'memory-over-core',
      '^src/cache/memory/',
      ['^src/cache/core/', '^src/cache/memory/'],
      'L1 knows the core alone.',
    ),
    only(
      'remote-over-core',
      '^src/cache/redis/',
      ['^src/cache/core/', '^src/cache/redis/'],
      'L2 knows the core alone.',
    ),
    only(
      'codec-over-core',
      '^src/cache/codec/',
      ['^src/cache/core/', '^src/cache/codec/'],
      'Codecs know the core alone.',
    ),
    only(
      'node-over-core',
      '^src/cache/node/',
      ['^src/cache/core/', '^src/cache/node/'],
      'What Node brings, behind the ports of the core.',
    ),
    only(
      'http-rules-over-core',
      '^src/cache/http/',
      ['^src/cache/core/', '^src/cache/http/'],
      'HTTP rules are pure.',
    ),
    only(
      'telemetry-over-core',
      '^src/cache/telemetry/',
      ['^src/cache/core/', '^src/cache/telemetry/'],
      'What OpenTelemetry is told.',
    ),
    only(
      'doctor-over-core',
      '^src/cache/doctor/',
      ['^src/cache/core/', '^src/cache/doctor/'],
      'The doctor judges by what it is told.',
    ),
    {
      name: 'clients-of-the-cache',
      severity: 'error',
      comment: 'Client libraries stay behind the ports; Nest stays in the Nest layer.',
      from: { path: '^src/cache/(memory|redis|codec|node|http|doctor)/', pathNot: '\\.spec\\.ts$' },
      to: { path: 'node_modules/(@nestjs|rxjs|express|drizzle-orm|pg)/' },
    },
    {
      name: 'ioredis-in-two-places',
      severity: 'error',
      comment:
        'Clients of Redis are made in src/redis and used in src/cache/redis; the Nest layer passes their type on.',
      from: { path: '^src/', pathNot: ['^src/redis/', '^src/cache/(redis|nest)/', '\\.spec\\.ts$'] },
      to: { path: 'node_modules/ioredis/' },
    },
    only(
      'cache-knows-no-application',
      '^src/cache/',
      ['^src/cache/'],
      'The cache could move to another application.',
    ),
    only('cli-alone', '^src/cli/', ['^src/cli/'], 'The command line talks to a backend over HTTP.'),
    only('config-alone', '^src/config/', ['^src/config/'], 'The configuration knows no other folder.'),
    only(
      'redis-connections',
      '^src/redis/',
      ['^src/redis/', '^src/config/'],
      'Connections know the configuration.',
    ),
    only(
      'database',
      '^src/database/',
      ['^src/database/', '^src/config/'],
      'The database knows the configuration.',
    ),
    only(
      'http',
      '^src/http/',
      ['^src/http/'],
      'The HTTP edge knows no other folder: errors are told by their codes.',
    ),
    only(
      'auth',
      '^src/auth/',
      ['^src/auth/', '^src/config/', '^src/database/', '^src/http/', '^src/cache/index\\.ts$'],
      'Admin access uses configuration, database, cache and the shape of errors.',
    ),
    only(
      'features',
      `^src/(${features})/`,
      [
        '^src/$1/',
        '^src/(config|http|auth|database)/',
        '^src/cache/index\\.ts$',
        `^src/(${features})/[^/]+\\.(service|module)\\.ts$`,
      ],
      'A feature sees the cache through its index and another feature through its service.',
    ),
    only(
      'openapi',
      '^src/openapi/',
      ['^src/openapi/', '^src/config/', '^src/http/', '^src/cache/index\\.ts$'],
      'The document of the API knows no feature: what is particular to a route stands at the route.',
    ),
    {
      name: 'cache-through-its-index',
      severity: 'error',
      comment: 'Outside of the cache there is only src/cache/index.ts.',
      from: { path: '^src/', pathNot: '^src/cache/' },
      to: { path: '^src/cache/', pathNot: '^src/cache/index\\.ts$' },
    },
    {
      name: 'nobody-imports-the-top',
      severity: 'error',
      comment: 'main, app.module and configure-app are where things come together.',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'no-tests-in-what-ships',
      severity: 'error',
      comment: 'Source does not import tests.',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '(\\.spec\\.ts$|^test/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
