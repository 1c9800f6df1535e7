/** @type {import('jest').Config} */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/bench'],
  testMatch: ['**/*.spec.ts'],
  // What takes minutes is left to LONG=1, as in `npm run faults:long`.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.LONG === '1' ? [] : ['\\.long\\.spec\\.ts$'])],
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/e2e/harness/shared-postgres.setup.ts',
  globalTeardown: '<rootDir>/test/e2e/harness/shared-postgres.teardown.ts',
  setupFiles: ['<rootDir>/test/property-seed.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/async-storages.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  maxWorkers: process.env.CI ? 2 : '50%',
  // Only to end what hangs: on a busy machine the start of two applications takes its time.
  testTimeout: 60_000,
  forceExit: false,
  restoreMocks: true,
  reporters: ['default', '<rootDir>/test/reporters/plain-count.cjs'],
};
