import { conformance } from '@p2pl/conformance'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { describe, it } from 'vitest'
import { managedFixture } from './support/fixtures.ts'

describeWithKubo('ipfsRpc with a daemon of its own', (binary) => {
  conformance({ describe, it }, managedFixture(binary))
})
