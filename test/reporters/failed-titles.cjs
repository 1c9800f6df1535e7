const { writeSync } = require('node:fs');
const { basename } = require('node:path');

/** Tells whoever has started Jest, over file descriptor 3 and at once, each test that has failed, and at last that all is over. */
module.exports = class FailedTitles {
  onTestCaseResult(_test, { status, title }) {
    if (status === 'failed') this.#tell(title);
  }

  /** A file that cannot run has no tests that could fail. */
  onTestFileResult({ path }, { testExecError }) {
    if (testExecError) this.#tell(basename(path));
  }

  onRunComplete() {
    this.#tell('');
  }

  #tell(line) {
    writeSync(3, `${line.replaceAll('\n', ' ')}\n`);
  }
};
