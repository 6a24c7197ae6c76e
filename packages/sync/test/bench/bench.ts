// node -C @p2pl/source packages/sync/test/bench/bench.ts [entries]
// Durable appends per second, entries per second that a cold peer catches up, and the ceiling of signature checks in the same run.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPeer, ed25519 } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { openView } from '../../src/index.ts'

// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000)
const count = Number(process.argv[2] ?? 20_000)
const folder = await mkdtemp(join(tmpdir(), 'sync-bench-'))
const network = createMemoryNetwork()
const rate = (items: number, since: number): number => Math.round((items * 1000) / (performance.now() - since))

const writer = await createPeer({ backend: memory({ network }) })
const source = await openView({ peer: writer, topic: 'bench', store: join(folder, 'source') })
const started = performance.now()
const writers = 64
await Promise.all(
  Array.from({ length: writers }, async (_, k) => {
    for (let i = k; i < count; i += writers) await source.append(new Uint8Array(120).fill(i % 251))
  })
)
const append = rate(count, started)
await source.publishDigest()

const cold = await createPeer({ backend: memory({ network }) })
const from = performance.now()
const opened = await openView({ peer: cold, topic: 'bench', store: join(folder, 'cold') })
await opened.agreed()
const catchUp = rate(count, from)

const signed = new Uint8Array(250).fill(7)
const { identity } = writer
const signature = await identity.sign(signed)
const checks = 8192
const check = performance.now()
for (let done = 0; done < checks; done += 64) {
  await Promise.all(Array.from({ length: 64 }, async () => await ed25519.verify(identity.publicKey, signed, signature)))
}
const ceiling = rate(checks, check)

await opened.stop()
const again = performance.now()
const reopened = await openView({ peer: cold, topic: 'bench', store: join(folder, 'cold') })
const start = Math.round(performance.now() - again)
await reopened.stop()
await source.stop()
await Promise.all([writer.stop(), cold.stop()])
await rm(folder, { recursive: true })
clearInterval(alive)
process.stdout.write(
  `${JSON.stringify({ count, append, catchUp, ceiling, ofCeiling: catchUp / ceiling, startMs: start })}\n`
)
