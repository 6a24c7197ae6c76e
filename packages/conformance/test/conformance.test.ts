import { describe, it } from 'vitest'
import { fakeFixture } from '@p2pl/conformance/fake'
import { conformance } from '../src/index.ts'

conformance(
  {
    describe,
    it,
    onUnhandledRejection: (listener) => {
      process.on('unhandledRejection', listener)
      return () => process.off('unhandledRejection', listener)
    }
  },
  { ...fakeFixture(), patience: 5000 }
)
