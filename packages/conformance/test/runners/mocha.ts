// Run by mocha in runners.test.ts, which gives describe and it as globals.
import { conformance, type Runner } from '../../src/index.ts'
import { fakeFixture } from '../../src/fake/index.ts'

const mocha = globalThis as unknown as Runner
conformance(
  { describe: (name, body) => mocha.describe(name, body), it: (name, body) => mocha.it(name, body) },
  fakeFixture()
)
