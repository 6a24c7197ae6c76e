import { conformance } from '@p2pl/conformance'
import { compose } from '@p2pl/core/backend'
import { timeout } from '@p2pl/layers/timeout'
import { retry } from '@p2pl/layers/retry'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { describe, it } from 'vitest'
import { managedFixture } from './support/fixtures.ts'

describeWithKubo('ipfsRpc with a daemon of its own, wrapped', (binary) => {
  conformance(
    { describe, it },
    managedFixture(binary, (backend) =>
      compose(
        backend,
        retry(),
        timeout({
          get: 60_000,
          put: 60_000,
          pin: 60_000,
          store: 60_000,
          publish: 30_000,
          subscribe: 30_000,
          routing: 60_000,
          lifecycle: 60_000
        })
      )
    )
  )
})
