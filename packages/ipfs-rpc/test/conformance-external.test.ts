import { conformance } from '@p2pl/conformance'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { describe, it } from 'vitest'
import { externalFixture } from './support/fixtures.ts'

describeWithKubo('ipfsRpc with a running daemon', (binary) => {
  conformance({ describe, it }, externalFixture(binary))
})
