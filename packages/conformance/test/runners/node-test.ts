// Run by node --test in runners.test.ts.
import { describe, it } from 'node:test'
import { conformance } from '../../src/index.ts'
import { fakeFixture } from '../../src/fake/index.ts'

conformance({ describe, it }, fakeFixture())
