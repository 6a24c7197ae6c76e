import { join } from 'node:path'
import { conformance, type ConformanceFixture } from '@p2pl/conformance'
import { compose, retry, timeout } from '@p2pl/layers'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, it } from 'vitest'
import { bittorrent, type BittorrentOptions } from '../src/index.ts'
import { kitNetwork, localTracker, startProcesses } from './support.ts'

const root = temporaryFolder('p2pl-bittorrent-kit-')
let networks = 0

// A peer alone knows an empty DHT; where there are several, all they have is a tracker.
const alone: BittorrentOptions = { dir: join(root, 'for-capabilities') }

startProcesses()

const runner = { describe, it }
const limits = { get: 60_000, routing: 30_000 }
const fixture: ConformanceFixture = {
  name: 'bittorrent in a folder, one tracker and no DHT',
  create: async (count) => {
    const own = join(root, String(++networks))
    if (count === 1)
      return kitNetwork(
        1,
        () => ({ dir: join(own, '0') }),
        async () => {}
      )
    const tracker = await localTracker()
    const options = (index: number): BittorrentOptions => ({
      dir: join(own, String(index)),
      dht: false,
      trackers: [networks % 2 === 0 ? tracker.http : tracker.udp]
    })
    return kitNetwork(count, options, tracker.stop)
  },
  capabilities: bittorrent(alone).capabilities,
  followsHints: true,
  // Seven processes share the machine with other tests.
  patience: 60_000
}

conformance(runner, fixture)
conformance(runner, {
  ...fixture,
  name: `${fixture.name}, under retry and timeout`,
  wrap: (backend) => compose(backend, retry(), timeout(limits)),
  capabilities: compose(bittorrent(alone), retry(), timeout(limits)).capabilities
})
