import { fakeFixture } from '@p2pl/conformance/fake'
import { describe, it } from 'vitest'
import { conformance } from '../src/index.ts'

conformance({ describe, it }, fakeFixture())
