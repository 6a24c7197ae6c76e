import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { seededBytes, temporaryFolder, withSeed } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { readApiFile } from '../src/node/api-file.ts'
import type { Home } from '../src/node/home.ts'
import { verifyCar } from '../src/node/verify.ts'
import { openOffline } from '../src/run/open-node.ts'
import { RemoteLedger } from '../src/service/remote.ts'
import { accountIds, makeHomes } from './support.ts'

// Kills a real node with `kill -9` at any moment. Everything that a client got an answer for is there afterwards, and
// nothing is damaged.

/** Fifty with `npm run test:long`. */
const kills = process.env['P2PL_LONG'] === '1' ? 50 : 24
const lanes = 2
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folder = temporaryFolder()

/** Entries that a client got an answer for, by reference. */
type Acknowledged = Map<string, string>

function start(home: Home, backend = 'memory'): ChildProcess {
  const args = [
    '-C',
    '@p2pl/source',
    program,
    'run',
    '--json',
    '--log-level',
    'error',
    '--dir',
    home.path,
    '--backend',
    backend
  ]
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc']
  })
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  child.kill('SIGKILL')
  await exited
}

/** The node's API, as soon as the node says that it is ready. */
async function ready(home: Home, child: ChildProcess): Promise<RemoteLedger> {
  if (child.stdout === null) throw new Error('no stdout')
  await once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(100_000) })
  return new RemoteLedger((await readApiFile(home.apiPath)) ?? { url: '' })
}

/**
 * Starts a node, checks what it still knows, writes with eight clients at once, and kills it at a moment chosen by
 * `random`.
 */
async function life(
  home: Home,
  to: string,
  run: string,
  acknowledged: Acknowledged,
  random: () => number
): Promise<void> {
  const child = start(home)
  if (random() < 0.15) {
    // At some point during its start.
    await sleep(random() * 700)
    return await kill(child)
  }
  const remote = await ready(home, child)
  await expectAll(remote, acknowledged)
  const enough = Math.floor(random() * 40)
  let answers = 0
  let killed: Promise<void> | undefined
  const client = async (number: number): Promise<void> => {
    for (let i = 0; killed === undefined; i++) {
      const reference = `${run}/${number}/${i}`
      try {
        const { entry } = await remote.transfer({ to, amount: 1n, reference })
        acknowledged.set(reference, entry.cid)
      } catch (error) {
        if (killed === undefined) throw error
        return
      }
      // The others' requests are still running.
      if (++answers > enough) killed ??= kill(child)
    }
  }
  await Promise.all(Array.from({ length: 8 }, async (_, number) => await client(number)))
  await killed
}

async function expectAll(ledger: Pick<RemoteLedger, 'entries'>, acknowledged: Acknowledged): Promise<void> {
  const found = new Map<string | undefined, string>()
  for (let after: string | undefined; ;) {
    const page = await ledger.entries({ limit: 1_000, after })
    for (const entry of page.entries) {
      found.set(entry.reference, entry.cid)
      expect(entry.status, `${entry.cid} has a gap before it`).toBe('accepted')
    }
    if (page.next === undefined) break
    after = page.next
  }
  for (const [reference, cid] of acknowledged) expect(found.get(reference), reference).toBe(cid)
}

it(`loses no acknowledged entry in ${kills} kills`, async () => {
  await withSeed(20_261_123, async (_seed, random) => {
    const [to = ''] = await accountIds(1)
    const names = Array.from({ length: lanes }, (_, i) => `lane-${i}`)
    // One ledger per lane: they share nothing but the machine.
    const homes = await Promise.all(
      names.map(async (name) => (await makeHomes(join(folder, name), ['node']))[0] as Home)
    )
    // Drawn in advance, so that the lanes do not take numbers from each other.
    const draws = names.map(() => Array.from({ length: (kills / lanes) * 3 }, random))
    await Promise.all(
      homes.map(async (home, lane) => {
        const acknowledged: Acknowledged = new Map()
        const numbers = draws[lane]?.values()
        const next = (): number => numbers?.next().value ?? 0
        for (let i = 0; i < kills / lanes; i++) await life(home, to, `${lane}/${i}`, acknowledged, next)
        const node = await openOffline(home)
        try {
          await expectAll(node, acknowledged)
          expect(acknowledged.size).toBeGreaterThan(kills)
          // The state that survived all kills equals the state that follows from the entries alone.
          const { balances, entries, accepted } = await node.status()
          expect(await verifyCar(node.exportCar(), { genesis: home.genesis })).toMatchObject({
            balances,
            entries,
            accepted
          })
        } finally {
          await node.stop()
        }
      })
    )
  })
}, 300_000)

it('loses no document of an acknowledged record', async () => {
  await withSeed(20_261_125, async (_seed, random) => {
    const [home] = (await makeHomes(join(folder, 'documents'), ['node'])) as [Home]
    /** Acknowledged contents, by CID. */
    const documents = new Map<string, Uint8Array>()
    for (let round = 0; round < 3; round++) {
      const child = start(home, 'helia')
      const remote = await ready(home, child)
      // No other node has them, so what comes back was on this disk.
      for (const [cid, expected] of documents) expect((await read(remote, cid)).equals(expected), cid).toBe(true)
      const enough = Math.floor(random() * 4)
      let killed: Promise<void> | undefined
      let answers = 0
      const client = async (number: number): Promise<void> => {
        for (let i = 0; killed === undefined; i++) {
          // Some have one block, some several.
          const content = seededBytes(1 + Math.floor(random() * 1_500_000), round * 1_000 + number * 100 + i)
          try {
            const { entry } = await remote.record({
              name: 'd',
              mediaType: 'application/octet-stream',
              content: [content]
            })
            if (entry.type === 'record') documents.set(entry.content, content)
          } catch (error) {
            if (killed === undefined) throw error
            return
          }
          if (++answers > enough) killed ??= kill(child)
        }
      }
      await Promise.all(Array.from({ length: 3 }, async (_, number) => await client(number)))
      await killed
    }
    const child = start(home, 'helia')
    const remote = await ready(home, child)
    for (const [cid, expected] of documents) expect((await read(remote, cid)).equals(expected), cid).toBe(true)
    expect(documents.size).toBeGreaterThan(3)
    await kill(child)
  })
}, 300_000)

async function read(remote: RemoteLedger, cid: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await remote.content(cid, { signal: AbortSignal.timeout(100_000) })).body)
    chunks.push(chunk)
  return Buffer.concat(chunks)
}
