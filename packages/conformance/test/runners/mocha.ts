// Run by mocha in runners.test.ts, which gives describe and it as globals.
import { conformance, type Runner } from '../../src/index.ts'
import { fakeFixture } from '../../src/fake/index.ts'

conformance(globalThis as unknown as Runner, fakeFixture())
