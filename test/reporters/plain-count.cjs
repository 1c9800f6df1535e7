/** Prints `N passed, N failed` alone on the last line: the line that CI counts. A file that cannot run counts as one failed test. */
module.exports = class PlainCount {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stderr.write('', () =>
      process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`),
    );
  }
};
