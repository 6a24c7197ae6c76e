// Run by node --test in runners.test.ts.
import { describe, it } from 'node:test'
import { conformance } from '../../src/index.ts'
import { fakeFixture } from '../../src/fake/index.ts'

conformance(
  { describe: (name, body) => void describe(name, body), it: (name, body) => void it(name, body) },
  fakeFixture()
)
